package trail

import (
	"fmt"
	"strings"
)

// Values of a pin.
const (
	// PinFail makes a try answer 500 at once.
	PinFail = "fail"
	// PinUnavailable makes a try answer 503 at once.
	PinUnavailable = "503"
	// PinHang makes a try wait for the service's hang duration and then go on.
	PinHang = "hang"
)

// PinNothing is the value of HeaderPins that pins nothing: no try fails or hangs.
const PinNothing = "none"

// MaxPins is how long the value of HeaderPins may be, in bytes.
const MaxPins = 4 << 10

// Pinned is what pins, a value of HeaderPins, say of the try with a path: PinFail, PinUnavailable, PinHang, or "" when no pin is for it. Of
// several the first one counts. It allocates nothing.
func Pinned[Path ~string | ~[]byte](pins string, tries Path) string {
	for pins != "" {
		var pin string
		pin, pins, _ = strings.Cut(pins, ",")
		if path, value, _ := strings.Cut(pin, "="); pathMatches(path, tries) {
			return value
		}
	}
	return ""
}

// pathMatches reports whether tries is path, in which "*" stands for any attempt count.
func pathMatches[Path ~string | ~[]byte](path string, tries Path) bool {
	for path != "" && len(tries) > 0 {
		if path[0] != '*' {
			if path[0] != tries[0] {
				return false
			}
			path, tries = path[1:], tries[1:]
			continue
		}
		path = path[1:]
		for len(tries) > 0 && tries[0] >= '0' && tries[0] <= '9' {
			tries = tries[1:]
		}
	}
	return path == "" && len(tries) == 0
}

// CheckPins says what is wrong with a value of HeaderPins, or "".
func CheckPins(value string) (problem string) {
	if value == PinNothing {
		return ""
	}
	if len(value) > MaxPins {
		return fmt.Sprintf("at most %d bytes", MaxPins)
	}
	for pin := range strings.SplitSeq(value, ",") {
		path, what, _ := strings.Cut(pin, "=")
		if !isPinPath(path) || what != PinFail && what != PinUnavailable && what != PinHang {
			return fmt.Sprintf(`pins joined by commas, each a path of tries in which * is any attempt count, and =%s, =%s or =%s, such as "1.*=%s", or %s`, PinFail, PinUnavailable, PinHang, PinFail, PinNothing)
		}
	}
	return ""
}

// isPinPath reports whether path is a path of tries of which attempt counts may be "*": a whole one, and no number of a
// call.
func isPinPath(path string) bool {
	for i := range len(path) {
		if path[i] == '*' && (i > 0 && path[i-1] != '.' || i+1 < len(path) && path[i+1] != '.' && path[i+1] != ':') {
			return false
		}
	}
	return IsTries(strings.ReplaceAll(path, "*", "0"))
}
