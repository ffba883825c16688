package attack

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// What is read from a file is what Vegeta reads from it.
func TestReadTargetsAsVegetaDoes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from a file"), 0o644); err != nil {
		t.Fatal(err)
	}
	header, body := http.Header{"X-All": {"1"}}, []byte("default")
	for name, text := range map[string]string{
		"text": "# first\nGET http://a/1\nGET http://a/2\n\nPOST http://b:80/x?y=z\nX-One: 1\nx-one: 2\n# remark\n@" + file + "\nPUT https://c/\nHost: shop\n\n\nDELETE http://d/\n",
		"json": `{"method":"GET","url":"http://a/"}` + "\n\n" + `{"method":"POST","url":"http://b/","header":{"X-One":["1","2"]},"body":"Rk9P","weight":3}` + "\n",
	} {
		reader := vegeta.NewHTTPTargeter
		if name == "json" {
			reader = vegeta.NewJSONTargeter
		}
		want, err := vegeta.ReadAllTargets(reader(strings.NewReader(text), body, header))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadTargets("targets", []byte(text), body, header)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d targets, %v, want %d", name, len(got), err, len(want))
		}
		for i, target := range want {
			if of := NewTarget(target.Method, target.URL, target.Header, target.Body); !reflect.DeepEqual(got[i], of) {
				t.Errorf("%s, target %d:\n got %+v\nwant %+v", name, i, got[i], of)
			}
		}
	}
	if host := NewTarget("GET", "http://a/", http.Header{"host": {"shop"}, "A": {"b"}}, nil); host.Host != "shop" || len(host.Header) != 1 {
		t.Errorf("a header host: %+v", host)
	}
}

// All targets that cannot be read are told at once, each with its line.
func TestReadTargetsRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"get http://a/\n\nGET ftp://b/\n\nGET http://c/\nno header\n\nGET http://d/\n@none\n", "t:1: bad method|t:3: \"ftp://b/\" must be http|t:5: bad header: no header|t:8: bad body: open none"},
		{"GET http://a/\nA: b\nGET http://c/\n", "t:3: a blank line must stand"},
		{`{"method":"GET","url":"http://a/"}` + "\n{\"method\":\n" + `{"url":"http://a/"}` + "\n" + `{"method":"GET"}`, "t:2: |t:3: target: required method|t:4: target: required url"},
		{`{"method":"GET","url":"http://a/","header":{"A B":["c"]}}` + "\n" + `{"method":"GET","url":"http://a/","header":{"A":["b\nc"]}}`, `t:1: header "A B": is no name|t:2: header A: "b\nc" cannot be sent`},
		{" \n# nothing\n", "t: has no target"},
	} {
		_, err := ReadTargets("t", []byte(c.text), nil, nil)
		if err == nil {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		told := strings.Split(err.Error(), "\n")
		for _, want := range strings.Split(c.want, "|") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", c.text, err, want)
			}
		}
		if wants := strings.Count(c.want, "|") + 1; len(told) != wants {
			t.Errorf("%q: %d lines, want %d: %v", c.text, len(told), wants, err)
		}
	}
}

// FuzzReadTargets: what is accepted of a file is what Vegeta reads from it.
func FuzzReadTargets(f *testing.F) {
	for _, text := range []string{"GET http://a/1\nA: b\n\n# c\nPOST http://b/\n", "GET http://a/1\nGET http://a/2\n# c\nA: b\n", `{"method":"GET","url":"http://a/","header":{"A":["b"]},"body":"Rk9P"}`, "GET http://a/\n \t\nB c\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") || len(text) > 1<<14 { // no file is read, and Vegeta's scanner has a limit
			return
		}
		got, err := ReadTargets("t", []byte(text), nil, nil)
		if err != nil {
			return
		}
		reader := vegeta.NewHTTPTargeter(strings.NewReader(text), nil, nil)
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			reader = vegeta.NewJSONTargeter(strings.NewReader(text+"\n"), nil, nil)
		}
		want, err := vegeta.ReadAllTargets(reader)
		if err != nil || len(want) != len(got) {
			t.Fatalf("%q: %d targets, and Vegeta reads %d, %v", text, len(got), len(want), err)
		}
		for i, target := range want {
			if of := NewTarget(target.Method, target.URL, target.Header, target.Body); !reflect.DeepEqual(got[i], of) {
				t.Errorf("%q, target %d:\n got %+v\nwant %+v", text, i, got[i], of)
			}
		}
	})
}
