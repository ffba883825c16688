package openfiles

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	allowed, known := limit()
	if !known {
		t.Skip("the limit of this system is not known")
	}
	if err := Check(allowed); err != nil {
		t.Errorf("Check of as many files as are allowed: %v, want nil", err)
	}
	if allowed == math.MaxUint64 {
		return
	}
	err := Check(allowed + 1)
	var few TooFew
	if !errors.As(err, &few) || few != (TooFew{Needed: allowed + 1, Allowed: allowed}) || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("Check of one file more than allowed: %v, want TooFew with both numbers and the command to type", err)
	}
}
