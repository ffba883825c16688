package trail

import (
	"strings"
	"testing"
)

func TestPinned(t *testing.T) {
	const pins = "0.1=fail,0.2=hang,0.*=fail,0.3:2.1=hang,*.4.*=fail"
	for tries, want := range map[string]string{
		"0.1": PinFail, "0.2": PinHang, "0.17": PinFail, "0": "", "0.1.1": "", "1.1": "",
		"0.3:2.1": PinHang, "0.3.1": "", "0.3:1.1": "", "0.3:2.2": "", "0.3:2.11": "",
		"0.4.1": PinFail, "12.4.30": PinFail, "0.4:1.1": "", "": "",
	} {
		if got := Pinned(pins, tries); got != want {
			t.Errorf("Pinned(%q, %q) = %q, want %q", pins, tries, got, want)
		}
	}
	for _, tries := range []string{"0", "0.1", "", "none", "n"} {
		if got := Pinned(PinNothing, tries); got != "" {
			t.Errorf("Pinned(%q, %q) = %q, want none", PinNothing, tries, got)
		}
	}
	if got := Pinned(pins, []byte("0.3:2.1")); got != PinHang {
		t.Errorf("Pinned(%q, bytes of 0.3:2.1) = %q, want %q", pins, got, PinHang)
	}
	if got := Pinned("", "0"); got != "" {
		t.Errorf("Pinned without pins = %q, want none", got)
	}
}

func TestPinnedAllocatesNothing(t *testing.T) {
	tries := []byte("0.3")
	if got := testing.AllocsPerRun(100, func() {
		Pinned("0.1=fail,0.2=hang,0.*=fail", "0.3")
		Pinned("0.1=fail,0.2=hang,0.*=fail", tries)
	}); got != 0 {
		t.Errorf("Pinned allocates %v times, want 0", got)
	}
}

func TestCheckPins(t *testing.T) {
	for value, right := range map[string]bool{
		"0=fail": true, "0.1=fail,0.2=hang": true, "*.*:3.*=fail": true,
		"none": true, "none,0=fail": false, "0=fail,none": false, "none=fail": false, "None": false, " none": false, "0=none": false,
		"": false, "0": false, "0=": false, "0=stop": false, "=fail": false, "0=fail,": false, "a=fail": false, "0.**=fail": false,
		"0..1=fail": false, "1*=fail": false, "*1=fail": false, "0:*.1=fail": false, "0:0.1=fail": false, "0.*:1.*=fail": true, "0:1=fail": false, "0=fail,0.1": false, strings.Repeat("0=fail,", 1000) + "0=fail": false,
	} {
		if problem := CheckPins(value); (problem == "") != right {
			t.Errorf("CheckPins(%.40q) says %q, want it accepted: %v", value, problem, right)
		}
	}
}
