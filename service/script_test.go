package service

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

func script(t *testing.T, hang time.Duration) place {
	return open(t, Config{Service: "two", Version: "a", Role: Script, Hang: hang})
}

func TestScriptAnswersEachTryAsItsWordSays(t *testing.T) {
	s := script(t, time.Millisecond)
	const words = "500,503,reset,close,hang,201"
	want := make(map[string]int)
	for attempt, result := range []string{"500", "500", "503", "reset", "close", "200", "201", "201"} {
		r, err := send(t, t.Context(), http.MethodGet, s.url, nil, HeaderScript, words, trail.HeaderAttempt, fmt.Sprint(attempt))
		got := "reset"
		switch {
		case err == nil:
			got = fmt.Sprint(r.StatusCode)
		case errors.Is(err, io.EOF):
			got = "close"
		case !errors.Is(err, syscall.ECONNRESET):
			got = err.Error()
		}
		if got != result {
			t.Errorf("attempt %d = %s, want %s", attempt, got, result)
		}
		if err != nil {
			result = "0"
		}
		want[fmt.Sprintf("two-a %d:%s", attempt, result)]++
	}
	if got := counted(t, s.url); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	if got := get(t, s.url).StatusCode; got != 200 {
		t.Errorf("without a script = %d, want 200", got)
	}
}

func TestScriptSaysWhatItReceived(t *testing.T) {
	s := script(t, 0)
	body := strings.Repeat("b", 100_000)
	for _, code := range []int{200, 302, 404, 599} {
		r, err := send(t, t.Context(), http.MethodPost, s.url+"a/b?c=d", strings.NewReader(body),
			HeaderScript, fmt.Sprint(code), trail.HeaderAttempt, "2", HeaderTell, "x-a", "x-a", "1", "x-a", "2")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{HeaderBody: "100000", HeaderPath: "/a/b?c=d", HeaderMethod: "POST", HeaderHost: strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/"), HeaderTold: "1|2", trail.HeaderTrail: trail.Form} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%d: header %s = %q, want %q", code, name, got, want)
			}
		}
		hop, err := trail.Decode([]byte(r.body))
		if err != nil {
			t.Fatal(err)
		}
		hop.Elapsed = 0
		if want := (trail.Hop{Service: "two", Version: "a", Status: code, Attempt: 2}); r.StatusCode != code || !reflect.DeepEqual(*hop, want) {
			t.Errorf("answer = %d %+v, want %d %+v", r.StatusCode, hop, code, want)
		}
	}
	// An answer whose status allows no body must not break the connection.
	if r := get(t, s.url, HeaderScript, "204"); r.StatusCode != 204 || r.body != "" {
		t.Errorf("script 204 = %d %q", r.StatusCode, r.body)
	}
}

func TestScriptHangs(t *testing.T) {
	const hang = 50 * time.Millisecond
	s := script(t, hang)
	if r, hop := getTrail(t, s.url, HeaderScript, "hang"); r.StatusCode != 200 || hop.Elapsed < hang {
		t.Errorf("hang = %d after %v, want 200 after %v", r.StatusCode, hop.Elapsed, hang)
	}
}

func TestMalformedScriptGets400(t *testing.T) {
	s := script(t, 0)
	for script, word := range map[string]string{
		"500,,200": "", "200,600": "600", "100": "100", "199": "199", "0200": "0200", "+20": "+20", "Reset": "Reset", "500, 200": " 200",
		"2e2": "2e2", "200,": "", "200,200,boom": "boom",
	} {
		r := get(t, s.url, HeaderScript, script)
		want := fmt.Sprintf("header x-hellochaos-script has %q: each word must be reset, close, hang or a status in [200, 599], and commas join the words\n", word)
		if r.StatusCode != 400 || r.body != want {
			t.Errorf("script %q = %d %q, want 400 %q", script, r.StatusCode, r.body, want)
		}
	}
}

func FuzzScriptLine(f *testing.F) {
	f.Add("500,503,reset,close,hang,200", 3)
	f.Add("200,,", 0)
	f.Fuzz(func(t *testing.T, script string, attempt int) {
		l, problem := scriptLine(script, attempt)
		if problem != "" {
			return
		}
		if l.code != trail.CodeBroken && (l.code < 200 || l.code > 599) {
			t.Errorf("scriptLine(%q, %d) = %+v", script, attempt, l)
		}
		if words := strings.Split(script, ","); script != "" && attempt > len(words) {
			if last, _ := scriptLine(words[len(words)-1], 1); last != l {
				t.Errorf("scriptLine(%q, %d) = %+v, want the last word, %+v", script, attempt, l, last)
			}
		}
	})
}
