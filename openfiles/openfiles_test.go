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
		t.Skip("this system does not tell a limit")
	}
	if err := Check(allowed); err != nil {
		t.Errorf("as many as allowed: %v, want nil", err)
	}
	if allowed == math.MaxUint64 {
		return
	}
	err := Check(allowed + 1)
	var few TooFew
	if !errors.As(err, &few) || few != (TooFew{Needed: allowed + 1, Allowed: allowed}) || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("one more than allowed: %v, want TooFew with both numbers and what to type", err)
	}
}
