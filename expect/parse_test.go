package expect

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	below := func(v float64) Band { return Band{Lo: math.Inf(-1), Hi: v} }
	for text, want := range map[string]Expectation{
		"edge fails <= 0.01":                      {Kind: EdgeFails, Band: below(0.01)},
		" any  fails<=10% ":                       {Text: "any  fails<=10%", Kind: AnyFails, Band: below(0.1)},
		"reviews fails < 5 %":                     {Kind: Fails, Service: "reviews", Band: Band{Lo: math.Inf(-1), Hi: 0.05, Below: true}},
		"reviews fails > 0.5":                     {Kind: Fails, Service: "reviews", Band: Band{Lo: 0.5, Hi: math.Inf(1), Above: true}},
		"reviews v3 share = 0.25 ± 0.125":         {Kind: Share, Service: "reviews", Version: "v3", Band: Band{Lo: 0.125, Hi: 0.375}},
		"reviews v3 share = 25% +- 12.5%":         {Kind: Share, Service: "reviews", Version: "v3", Band: Band{Lo: 0.125, Hi: 0.375}},
		"reviews v3 share within 0.15..0.25":      {Kind: Share, Service: "reviews", Version: "v3", Band: Band{Lo: 0.15, Hi: 0.25}},
		"reviews v3 share ≥ 0.15":                 {Kind: Share, Service: "reviews", Version: "v3", Band: Band{Lo: 0.15, Hi: math.Inf(1)}},
		`"a /b" to reviews v3 share = 1`:          {Kind: Share, Requests: "a /b", Service: "reviews", Version: "v3", Band: Band{Lo: 1, Hi: 1}},
		"jason to reviews fails <= 0.5":           {Kind: Fails, Requests: "jason", Service: "reviews", Band: below(0.5)},
		"ratings tries per request <= 2":          {Kind: Tries, Service: "ratings", Band: below(2)},
		"worst case tries <= 16":                  {Kind: WorstTries, Band: below(16)},
		"backend worst case tries == 4":           {Kind: WorstTries, Service: "backend", Band: Band{Lo: 4, Hi: 4}},
		"p99 <= 250ms":                            {Kind: Latency, Quantile: 0.99, Band: below(0.25)},
		"p99.9 within 1ms..1.5s":                  {Kind: Latency, Quantile: 0.9990000000000001, Band: Band{Lo: 0.001, Hi: 1.5}},
		"jason reaches reviews v2":                {Kind: Reaches, Requests: "jason", Service: "reviews", Version: "v2", Band: Band{Lo: 1, Hi: 1}},
		`"end-user: jason" reaches reviews`:       {Kind: Reaches, Requests: "end-user: jason", Service: "reviews", Band: Band{Lo: 1, Hi: 1}},
		"canary: exact header reaches middleware": {Phase: "canary", Kind: Reaches, Requests: "exact header", Service: "middleware", Band: Band{Lo: 1, Hi: 1}},
		"retry: edge fails <= 0.1":                {Phase: "retry", Kind: EdgeFails, Band: below(0.1)},
		`"edge" fails <= 0.1`:                     {Kind: Fails, Service: "edge", Band: below(0.1)},
	} {
		if want.Text == "" {
			want.Text = text
		}
		got, err := Parse(text)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "nothing is expected: accepted are 'edge fails <= 0.01'",
		"retry:":                              "nothing is expected",
		"edge fails":                          `"edge fails" is not compared with anything`,
		"jason raches reviews v2":             `is not compared with anything (did you mean "reaches"?)`,
		"<= 0.01":                             `nothing stands in front of "<="`,
		"edge fials <= 0.01":                  `"edge fials" is nothing that can be expected (did you mean "fails"?): accepted are 'edge fails <= 0.01'`,
		"latency <= 0.01":                     `"latency" is nothing that can be expected: accepted`,
		"p100 <= 1s":                          `"p100" is nothing that can be expected`,
		"edge fails <= many":                  `"many" must be a share from 0 to 1, such as 0.05 or 5 %`,
		"edge fails <= NaN":                   `"NaN" must be a share`,
		"edge fails <= 1.5":                   `"1.5" must be a share`,
		"edge fails <= 250 %":                 `"250" must be a share`,
		"edge fails <=":                       "the end must be a share",
		"edge fails <= -0.1":                  `"-0.1" must be a share`,
		"p99 <= 250":                          `"250" must be a time with its unit, such as 250ms or 1.5s`,
		"worst case tries <= Inf":             `"Inf" must be a number of tries`,
		"edge fails <= 0.1 0.2":               `"0.2" is left over`,
		"edge fails ± 0.1":                    `"±" is no comparison: accepted are <=, <`,
		"reviews v3 share within 0.1":         "the end must be two limits",
		"reviews v3 share within 0.3..0.1":    "the first limit must not be above the second one",
		"reviews v3 share = 0.1 ± v":          `"v" must be a share`,
		"jason to edge fails <= 0.1":          "of the calls of some requests only 'fails' and 'share' can be expected, not \"edge fails\"",
		"to reviews fails <= 0.1":             `"to reviews fails" is nothing that can be expected`,
		"jason reaches":                       "the end must be a service, or a service and its version",
		"jason reaches reviews v2 v3":         `"reviews v2 v3" must be a service`,
		"edge fails >= 0":                     "every number meets that",
		"edge fails <= 1":                     "every number meets that",
		`"jason reaches reviews`:              "a quoted name must not be empty and must end",
		"edge\tfails <= 0.1\x1b":              "not printable",
		"edge fails <= 0.1\xff":               "not UTF-8",
		strings.Repeat("edge ", 101) + "<= 1": "509 bytes: an expectation has at most 500",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestParseLoad(t *testing.T) {
	for text, want := range map[string]Expectation{
		"p99 <= 250ms":      {Kind: Latency, Quantile: 0.99, Band: Band{Lo: math.Inf(-1), Hi: 0.25}},
		"errors <= 0.5%":    {Kind: Errors, Band: Band{Lo: math.Inf(-1), Hi: 0.005}},
		"rate >= 990/s":     {Kind: Rate, Band: Band{Lo: 990, Hi: math.Inf(1)}},
		"rate > 3000/1m":    {Kind: Rate, Band: Band{Lo: 50, Hi: math.Inf(1), Above: true}},
		"rate = 50/s ± 1/s": {Kind: Rate, Band: Band{Lo: 49, Hi: 51}},
		"5xx <= 1%":         {Kind: Statuses, Status: "5xx", Band: Band{Lo: math.Inf(-1), Hi: 0.01}},
		"/a 404 <= 1%":      {Kind: Statuses, Target: "/a", Status: "404", Band: Band{Lo: math.Inf(-1), Hi: 0.01}},
		`500..2000: "GET http://a/?b=c" errors <= 1%`: {Kind: Errors, Phase: "500..2000", Target: "GET http://a/?b=c", Band: Band{Lo: math.Inf(-1), Hi: 0.01}},
		`"replay of a": rate >= 1/s`:                  {Kind: Rate, Phase: "replay of a", Band: Band{Lo: 1, Hi: math.Inf(1)}},
	} {
		want.Text = text
		if got, err := ParseLoad(text); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"edge fails <= 0.01":       `"edge fails" is nothing that can be expected: accepted are 'p99 <= 250ms', 'errors <= 0.5%', 'rate >= 990/s', '5xx <= 0.1%', 'TARGET p99 <= 250ms', 'PHASE: p99 <= 250ms'`,
		"erors <= 1%":              `(did you mean "errors"?)`,
		"rate >= 990":              `"990" must be a number per time, such as 990/s or 3000/1m`,
		"rate >= 9/0s":             "must be a number per time",
		"rate >= 0/s":              "every number meets that",
		"rate >= NaN/s":            "must be a number per time",
		"6xx <= 1%":                `"6xx" is nothing that can be expected`,
		`errors "errors" <= 1%`:    "is nothing that can be expected",
		"jason reaches reviews v2": "is not compared with anything",
		"errors fails <= 1":        `"errors fails" is nothing`,
	} {
		if _, err := ParseLoad(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := Parse("rate >= 990/s"); err == nil {
		t.Error("a run has no rate")
	}
}

// FuzzParse: whatever is read without an error has a band that can fail and hold, and is read again as the same.
func FuzzParse(f *testing.F) {
	for _, form := range Forms {
		f.Add(form)
	}
	f.Add(`retry: "a b" reaches c d`)
	f.Add("x fails within 1%..2 %")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if len(err.Error()) == 0 {
				t.Error("an error without a text")
			}
			return
		}
		if !(e.Band.Lo <= e.Band.Hi) {
			t.Errorf("%q: %+v", text, e.Band)
		}
		if v, _ := e.Band.Judge(Evidence{}); v == Pass {
			t.Errorf("%q passes without data", text)
		}
		again, err := Parse(e.Text)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Errorf("%q is read as %+v, and its text as %+v, %v", text, e, again, err)
		}
	})
}
