package gauge

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/expect"
)

func TestOfK6(t *testing.T) {
	for text, want := range map[string]string{
		"p(95)<200":                             "'p95 < 200ms'",
		"'p(99.9) < 1500'":                      "'p99.9 < 1500ms'",
		"http_req_duration: p(95)<200":          "'p95 < 200ms'",
		"http_req_waiting{name:a}: p(90)<=0.5s": "'p90 <= 0.5s'",
		"p95<200":                               "'p95 < 200ms'",
		"med<200":                               "'p50 < 200ms'",
		"http_req_failed: rate<0.01":            "'errors < 1%'",
		"rate<0.05":                             "'errors < 5%'",
		"http_reqs rate>=100":                   "'rate >= 100/s'",
		"rate>100":                              "'rate > 100/s'",
		"checks: rate>0.9":                      "'errors < 10%': there are no checks",
		"avg<200":                               "'p50 < 200ms': no average",
		"max<200":                               "'p99.9 < 200ms': the slowest",
		"count>100":                             "",
		"vus: rate>3":                           "",
		"p(200)<3":                              "",
		"p99 is low":                            "",
	} {
		if got := ofK6(text); got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if _, err := Expectations([]string{"p99 <= 250ms", "p95<200", "p99 <= x"}); err == nil || err.Error() != "--expect p95<200: is written as 'p95 < 200ms'\n--expect p99 <= x: \"x\" must be a time with its unit, such as 250ms or 1.5s" {
		t.Error(err)
	}
}

// What is proposed for any text can be read, and no text is answered with itself.
func FuzzOfK6(f *testing.F) {
	for _, seed := range []string{"p(95)<200", "http_req_failed: rate<0.01", "checks: rate>0.9", "avg<200", "http_req_duration{a:b} p(99.9)>=1e3ms", "rate<1.", "max===..5s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		here := ofK6(text)
		if here == "" {
			return
		}
		wanted, _, _ := strings.Cut(strings.TrimPrefix(here, "'"), "'")
		if _, err := expect.ParseLoad(wanted); err != nil {
			t.Errorf("%q: proposed %q: %v", text, wanted, err)
		}
		if _, err := expect.ParseLoad(text); err != nil && wanted == text {
			t.Errorf("%q is answered with itself", text)
		}
	})
}
