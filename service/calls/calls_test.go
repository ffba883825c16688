package calls

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for text, want := range map[string][][]Call{
		`[]`:                            {},
		`[[]]`:                          {{}},
		` [ [ {"url":"http://a/"} ] ] `: {{{URL: "http://a/"}}},
		`[[{"url":"b"}],[{"external":true,"method":"PUT","body":"\u00e9"},{}]]`: {{{URL: "b"}}, {{External: true, Method: "PUT", Body: "é"}, {}}},
	} {
		if got, problems := Read(text); problems != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Read(%s) = %+v, %q, want %+v", text, got, problems, want)
		}
	}
}

func TestReadNamesAllProblems(t *testing.T) {
	const form = `: it must be an array of steps, each an array of calls such as {"url": "http://backend/"}, or [] for no call: `
	for text, want := range map[string][]string{
		`null`:               {` is "null"` + form + "null is not an array"},
		`[[{"url":"x"}]] []`: {` is "[[{\"url\":\"x\"}]] []"` + form + "invalid character '[' after top-level value, at byte 17"},
		`{"url":"x"}`:        {` is "{\"url\":\"x\"}"` + form + "the JSON object at byte 1 is not an array"},
		`[{"url":"x"}]`:      {` is "[{\"url\":\"x\"}]"` + form + "the JSON object at byte 2 is not an array"},
		`[["http://a/",{"url":1}],[{"external":"yes"},{"Uri":"x"}]]`: {
			`[0][0] is a JSON string: it must be a call such as {"url": "http://backend/"}`,
			`[0][1].url is a JSON number: it must be a string`,
			`[1][0].external is a JSON string: it must be true or false`,
			`[1][1] has a member "Uri": only url, method, body and external are accepted`},
	} {
		if _, got := Read(text); !slices.Equal(got, want) {
			t.Errorf("Read(%s) has the problems\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if _, got := Read(strings.Repeat("x", 10_000)); len(got) != 1 || len(got[0]) > 500 {
		t.Errorf("a long text has %d problems, the first of %d bytes: it must be one of at most 500", len(got), len(got[0]))
	}
}

func TestCheck(t *testing.T) {
	many := make([]Call, Max+1)
	for i := range many {
		many[i].URL = "http://a/"
	}
	for _, test := range []struct {
		steps [][]Call
		want  []string
	}{
		{nil, nil},
		{[][]Call{{{URL: "https://a:8443/b?c"}}, {{URL: "http://b", Method: "DELETE"}}}, nil},
		{[][]Call{many[1:]}, nil},
		{[][]Call{many[:Max-1], many[:2]}, []string{" has 257 calls: at most 256 are accepted"}},
		{[][]Call{{}, {{URL: "//a/", Method: "get", Body: strings.Repeat("x", MaxBody+1)}, {URL: "http:///a"}, {URL: "http://a/", Method: "CONNECT"}}}, []string{
			"[0] has no call: each step must have at least one",
			`[1][0].url is "//a/": it must be an absolute http or https URL, such as http://backend/`,
			`[1][0].method is "get": it must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS`,
			"[1][0].body has 65537 bytes: at most 65536 are accepted",
			`[1][1].url is "http:///a": it must be an absolute http or https URL, such as http://backend/`,
			`[1][2].method is "CONNECT": it must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS`}},
	} {
		if got := Check(test.steps); !slices.Equal(got, test.want) {
			t.Errorf("Check has the problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestHeaders(t *testing.T) {
	names := Headers("end-user,x-tier,  Cookie,")
	if want := []string{"end-user", "x-tier", "Cookie"}; !slices.Equal(names, want) || CheckHeaders(names) != nil {
		t.Errorf("Headers = %q with the problems %q, want %q without any", names, CheckHeaders(names), want)
	}
	for _, name := range []string{"", "a b", "a:b", "HOST", "Connection", "accept", "X-Hellochaos-Tries", "x-envoy-attempt-count"} {
		if got := CheckHeaders([]string{"good", name}); len(got) != 1 || !strings.HasPrefix(got[0], `has "`+name+`", which `) {
			t.Errorf("CheckHeaders(%q) = %q, want one problem", name, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`[[{"url":"http://a/","method":"POST","body":"x","external":true}],[]]`)
	f.Add(`[[null, 1, {"a":2}]]`)
	f.Fuzz(func(t *testing.T, text string) {
		steps, problems := Read(text)
		if problems == nil && steps == nil {
			t.Error("neither calls nor a problem")
		}
		for _, problem := range append(problems, Check(steps)...) {
			if problem[0] != ' ' && problem[0] != '[' {
				t.Errorf("problem %q does not begin with a place", problem)
			}
		}
	})
}
