package reports

import "testing"

func TestPairs(t *testing.T) {
	for text, want := range map[string]bool{
		"[]": true, "[[1,2]]": true, "[ [1, 2],\n[30,\t999999999999] ]": true,
		"null": false, "{}": false, "[1,2]": false, "[[1]]": false, "[[]]": false, "[[1,2,3]]": false, "[[-1,2]]": false, "[[1.5,2]]": false,
		"[[1,1000000000000]]": false, "[[[1,2]]]": false, `[["1",2]]`: false, "[[1,null]]": false, "[[1,2],[]]": false, "[[1e3,2]]": false,
	} {
		if got := pairs([]byte(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
