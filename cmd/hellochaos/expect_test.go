package main

import (
	"strings"
	"testing"
)

// What is expected decides the exit code of run and verify, beside what the mesh does.
func TestExpect(t *testing.T) {
	mesh := shop(t)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"run", "egress", "--fail", "0.1", "--seed", "1", "--expect", "edge fails <= 0.3", "--expect", "application: clock fails <= 1%"}, 1,
			[]string{"each of ", "but 1 of 2 expectations is not met: application: clock fails <= 1%", "\nPASS  edge fails <= 0.3: predicted 0.1, measured ",
				"\nFAIL  application: clock fails <= 1%: predicted 1, measured 1 ("}},
		{[]string{"verify", "-f", mesh, "--seed", "1", "--expect", "jason reaches reviews v2", "--expect", "reviews v3 share = 20% ± 5%", "--expect", "reviews fails <= 0.05",
			"--expect", "reviews tries per request <= 2", "--expect", "worst case tries <= 4"}, 0,
			[]string{"PASS  each of ", ", and all 5 expectations are", "\nPASS  jason reaches reviews v2: predicted 1, at reviews end-user: jason\n"}},
		{[]string{"verify", "-f", mesh, "--seed", "1", "--expect", "reviews v3 share = 0.3 ± 0.05", "--expect", `"reviews /7 end-user: mary" reaches reviews v2`,
			"--expect", `"PUT reviews /7 end-user: jason" to reviews v2 share = 1`}, 1,
			[]string{"FAIL  each of ", "but 2 of 3 expectations are not met, the first of them: reviews v3 share = 0.3 ± 0.05",
				`FAIL "reviews /7 end-user: mary" reaches reviews v2: predicted 0, measured 0 (0 to `, `, at reviews /7 end-user: mary Such a request goes to reviews subset v1 (80 %) and reviews subset v3 (20 %)`}},
	} {
		got := execute(t, c.args...)
		said := strings.Join(strings.Fields(got.stdout), " ")
		for _, part := range c.want {
			if got.code != c.code || !strings.Contains(got.stdout, part) && !strings.Contains(said, part) {
				t.Errorf("%q: exit code %d, want %d with %q in\n%s%s", c.args, got.code, c.code, part, got.stdout, got.stderr)
			}
		}
	}
}

// Nothing is started where an expectation cannot be read, or names what no phase has.
func TestExpectUsage(t *testing.T) {
	mesh := shop(t)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"run", "retry", "--expect", "edge fials <= 0.01", "--expect", "p99 <= 250", "--fail", "2"},
			[]string{`--expect edge fials <= 0.01: "edge fials" is nothing that can be expected (did you mean "fails"?)`, `--expect p99 <= 250: "250" must be a time with its unit`, "--fail 2"}},
		{[]string{"run", "retry", "--expect", "bakend fails <= 0.01", "--expect", "rety: edge fails <= 0.1"},
			[]string{`lead to "bakend" (did you mean "backend"?)`, `no phase "rety" (did you mean "retry"?)`}},
		{[]string{"verify", "-f", mesh, "--expect", "jasn reaches reviews v2", "--expect", "reviews v9 share >= 0.1"},
			[]string{`are called "jasn"`, `(did you mean "jason"?)`, "\n      \"all\"\n", `reviews has no version or subset "v9" (did you mean "v`}},
		{[]string{"verify", "-f", mesh, "--expect", "any fails <= 0.1"}, []string{"--expect any fails <= 0.1: the requests are derived from the rules"}},
		{[]string{"verify", "-f", mesh, "--expect", `"reviews /%zz" reaches reviews`, "--expect", `"reviews accept: x" reaches reviews`, "--expect", `"reviews x-a: 1 x-a: 2" reaches reviews`, "--expect", `"reviews /, by gateway no" reaches reviews`},
			[]string{`"/%zz" is not a path`, "the header accept cannot be chosen", "the header x-a is there twice", "no proxy sends requests for reviews, by gateway no"}},
		{[]string{"verify", "-f", mesh, "--expect="}, []string{`--expect "": the value is empty: give a text`}},
	} {
		got := execute(t, c.args...)
		for _, part := range c.want {
			if got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, part) {
				t.Errorf("%q: exit code %d, %q is not in\n%s%s", c.args, got.code, part, got.stdout, got.stderr)
			}
		}
	}
}
