package expect

import (
	"fmt"
	"testing"
)

func TestRequestOf(t *testing.T) {
	for text, want := range map[string]string{
		"shop.example.com /checkout x-canary: true":       "GET shop.example.com /checkout [[x-canary true]] ",
		"shop.example.com /":                              "GET shop.example.com / [] ",
		"POST reviews":                                    "POST reviews / [] ",
		"reviews:9080 end-user: jason x-a: 1 2 3 cookie:": "GET reviews:9080 / [[end-user jason] [x-a 1 2 3] [cookie ]] ",
		"DELETE a /b?c=d":                                 "DELETE a /b?c=d [] ",
		"a /b x-c: d, by gateway shop/shop":               "GET a /b [[x-c d]] , by gateway shop/shop",
		"a /b, from namespace shop":                       "GET a /b [] , from namespace shop",
		"jason":                                           "", "all": "", "exact header": "", "end-user: jason": "", "GET": "", "shop.example.com": "", "/checkout": "", "GET /checkout": "",
		"enter front": "", "": "", "a, by gateway shop": "", "HEAD a": "", "a b /c": "",
	} {
		got := ""
		if r, ok := RequestOf(text); ok {
			got = fmt.Sprintln(r.Method, r.Host, r.Path, r.Header, r.Place)
			got = got[:len(got)-1]
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
