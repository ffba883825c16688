package attack

import (
	"testing"
	"time"
)

// The aim follows the median of how late wakes are: single late ones do not move it, and neither does a wait that something else ended.
func TestAim(t *testing.T) {
	var a aim
	for i := range 1000 {
		late := time.Duration(35+i%11) * time.Microsecond // 35 to 45 µs
		if i%10 == 9 {
			late = 20 * time.Millisecond // the machine did something else
		}
		a.woke(late)
		a.woke(-time.Millisecond)
	}
	if a.early < 35*time.Microsecond || a.early > 45*time.Microsecond {
		t.Errorf("aims %v early, want about 40µs", a.early)
	}
	for range 1000 {
		a.woke(time.Second)
	}
	if a.early != mostEarly {
		t.Errorf("aims %v early, want at most %v", a.early, mostEarly)
	}
	for range 1000 {
		a.woke(0)
	}
	if a.early != 0 {
		t.Errorf("aims %v early where wakes are in time", a.early)
	}
}
