package drill

import (
	"strings"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

const ms = time.Millisecond

// at is a destination with a pool, so many pods, and a rule with some retries on 5xx.
func at(e manifests.Endpoints, pods, retries int) Subject {
	rule := &manifests.Rule{Retry: manifests.Retry{Attempts: retries}}
	rule.Retry.SetOn("5xx")
	return Subject{Name: "one", Endpoints: &e, Rule: rule, Pods: pods, Hang: 3 * time.Second}
}

// hung are requests 10 ms apart that hang at their pod one after another for 3 s, at most so many at a time, and refused are those that
// come after them.
func hung(n, atOnce, refused int) (all []Answer) {
	for i := range n {
		start := time.Duration(i) * 10 * ms
		end := start + 3*time.Second + ms
		if i >= atOnce {
			end = all[i-atOnce].Ended + 3*time.Second + ms
		}
		all = append(all, Answer{Started: start, Ended: end, Status: 200, Pod: "a", Held: 3 * time.Second, Attempt: 1})
	}
	for i := range refused {
		start := time.Duration(n+i) * 10 * ms
		all = append(all, Answer{Started: start, Ended: start + ms, Status: 503})
	}
	return all
}

func check(t *testing.T, name string, f Finding, want string) {
	t.Helper()
	got := "right: " + f.Right
	switch {
	case f.Wrong != "":
		got = "wrong: " + f.Wrong
	case f.Undecided != "":
		got = "undecided: " + f.Undecided
	}
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s: %s\nwant %s", name, got, want)
	}
}

func TestLimits(t *testing.T) {
	waiting, requests, open := manifests.Pool{Connections: 1, Pending: 1}, manifests.Pool{Requests: 2}, manifests.Pool{Connections: 2}
	early := hung(2, 1, 5)
	early[6].Started, early[6].Ended = 4*time.Second, 4*time.Second+ms // when one of the two is through
	late := hung(2, 1, 5)
	late[6].Started, late[6].Ended = 3400*ms, 3401*ms
	other := hung(2, 2, 5)
	other[0].Pod, other[0].Status = "", 504
	for name, c := range map[string]struct {
		pool    manifests.Pool
		answers []Answer
		want    string
	}{
		"as it is":                        {waiting, hung(2, 1, 5), "right: of 7 requests at once, 2 were let in (at most 1 at the same time, and the others waited), and 5 were refused with 503"},
		"two at once":                     {waiting, hung(2, 2, 5), "wrong: 2 calls were under way at the same time, and the limits allow 1"},
		"one more waits":                  {waiting, hung(3, 1, 4), "wrong: of 7 requests at once 3 were let in, and the limits allow 2"},
		"one is refused too early":        {waiting, append(hung(1, 1, 5), Answer{Started: 70 * ms, Ended: 3071 * ms, Status: 200, Pod: "a", Held: time.Second}), "wrong: a request was refused with 503 while at most 1 others"},
		"a machine that is too slow":      {waiting, late, "undecided: this machine was too slow"},
		"a machine that is far too slow":  {waiting, early, "undecided: this machine was too slow"},
		"requests":                        {requests, hung(2, 2, 5), "right: of 7 requests at once, 2 were let in, and 5 were refused"},
		"no limit":                        {requests, hung(7, 7, 0), "wrong: 7 calls were under way at the same time, and the limits allow 2"},
		"another answer":                  {requests, other, "undecided: 1 request ended otherwise, the first with status 504"},
		"all wait":                        {open, hung(4, 2, 0), "right: of 4 requests at once, at most 2 were under way at the same time; the others waited, and none was refused"},
		"none should be refused, one was": {open, hung(3, 2, 1), "wrong: 1 of 4 requests were refused with 503, although any number of calls may wait"},
	} {
		d := limits(at(manifests.Endpoints{Pool: &c.pool}, 1, 0))
		if len(d.Requests) == 0 || len(d.Requests) != len(c.answers) {
			t.Fatalf("%s: the drill has %d requests (%s), and the test %d answers", name, len(d.Requests), d.Why, len(c.answers))
		}
		check(t, name, d.Judge(c.answers, nil), c.want)
	}
}

func TestRetriesAtOnce(t *testing.T) {
	answers := func(again, once int) (all []Answer) {
		all = hung(again, again, 0)
		for i := range all {
			all[i].Attempt = 2
		}
		for i := range once {
			start := time.Duration(again+i) * 10 * ms
			all = append(all, Answer{Started: start, Ended: start + ms, Status: 500, Pod: "a", Attempt: 1})
		}
		return all
	}
	d := retries(at(manifests.Endpoints{Pool: &manifests.Pool{Retries: 2}}, 1, 1))
	if len(d.Requests) != 7 {
		t.Fatalf("the drill has %d requests, want 7", len(d.Requests))
	}
	check(t, "as it is", d.Judge(answers(2, 5), nil), "right: of 7 calls that failed at once, 2 were sent again, and 5 were not")
	check(t, "no limit", d.Judge(answers(7, 0), nil), "wrong: 7 calls were in a retry at the same time, and maxRetries allows 2")
	check(t, "too few", d.Judge(answers(1, 6), nil), "wrong: a call was not sent again while at most 1 others were in a retry, and maxRetries allows 2")
}

// told are answers 50 ms apart: "a" and "b" are pods that answer 200, "A" and "B" the same with 500, "-" is a refused request.
func told(words string) (all []Answer) {
	for i, word := range words {
		a := Answer{Started: time.Duration(i) * 50 * ms, Ended: time.Duration(i)*50*ms + ms, Status: 200, Pod: strings.ToLower(string(word)), Attempt: 1}
		switch {
		case word == '-':
			a.Pod, a.Status = "", 503
		case a.Pod != string(word):
			a.Status = 500
		}
		all = append(all, a)
	}
	return all
}

func TestEjection(t *testing.T) {
	one := manifests.Ejection{Errors: 2, Interval: 500 * ms, Base: time.Second, Percent: 100}
	half := one
	half.Percent = 50
	none := one
	none.Percent = 10
	long := one
	long.Base = time.Minute
	gone := strings.Repeat("-", 28) // 1.4 s
	for name, c := range map[string]struct {
		policy manifests.Ejection
		pods   int
		words  string // after those that fail
		fail   string
		want   string
	}{
		"ejected, and back":            {one, 1, gone + strings.Repeat("a", 30), "AA---", "right: after 2 answers of 500 in a row a pod met no request (31 requests refused with 503) for 1s, and came back 1.6 s after"},
		"never ejected":                {one, 1, strings.Repeat("a", 58), "AAAAA", "wrong: pod a answered 249ms after"},
		"back too early":               {one, 1, strings.Repeat("-", 10) + strings.Repeat("a", 48), "AA---", "wrong: pod a answered 699ms after"},
		"never back":                   {one, 1, strings.Repeat("-", 58), "AA---", "wrong: a request was refused with 503 1.749s after a was ejected for 1s"},
		"ejected too early":            {one, 1, gone + strings.Repeat("a", 30), "A----", "wrong: a request was refused with 503 while 0 of 1 pod were ejected"},
		"half of two":                  {half, 2, strings.Repeat("b", 24) + strings.Repeat("ab", 17), "AABBBBB", "right: after 2 answers of 500 in a row a pod met no request for 1s"},
		"half of two, and never back":  {half, 2, strings.Repeat("b", 58), "AABBBBB", "wrong: 1 pod did not come back after 1s"},
		"half of two, and one refused": {half, 2, "-" + strings.Repeat("b", 57), "AABBBBB", "wrong: a request was refused with 503 while 1 of 2 pods were ejected"},
		"nobody may be ejected":        {none, 1, strings.Repeat("a", 20), "AAAA", "right: after 4 failures no pod was ejected: one of 1 pod is more than 10 %"},
		"nobody may be, and one is":    {none, 1, strings.Repeat("-", 20), "AAAA", "wrong: a request was refused with 503 while 0 of 1 pod"},
		"a long time":                  {long, 1, strings.Repeat("-", 20), "AA---", "right: after 2 answers of 500 in a row a pod met no request (23 requests refused with 503); its return after 1m0s was not waited for"},
	} {
		d := ejection(at(manifests.Endpoints{Ejection: &c.policy}, c.pods, 0))
		failing := 0
		for _, q := range d.Requests {
			if q.Pins == fails {
				failing++
			}
		}
		if failing != len(c.fail) || len(d.Requests) != failing+len(c.words) {
			t.Fatalf("%s: the drill has %d requests of which %d fail (%s), and the test %d and %d", name, len(d.Requests), failing, d.Why, len(c.fail)+len(c.words), len(c.fail))
		}
		check(t, name, d.Judge(told(c.fail+c.words), nil), c.want)
	}
}

// A call whose second try ejects the only pod is refused at its third one.
func TestEjectionByRetries(t *testing.T) {
	policy := manifests.Ejection{Errors: 5, Interval: 500 * ms, Base: time.Minute, Percent: 100}
	d := ejection(at(manifests.Endpoints{Ejection: &policy}, 1, 2))
	answers := told("A--" + strings.Repeat("-", len(d.Requests)-3))
	answers[0].Attempt = 3
	check(t, "the second call has two tries left", d.Judge(answers, nil), "right: after 5 answers of 500 in a row a pod met no request")
	answers[1] = answers[0]
	answers[1].Started, answers[1].Ended = 50*ms, 51*ms
	answers[2].Pod, answers[2].Status, answers[2].Attempt = "a", 500, 1
	answers[10].Pod, answers[10].Status = "a", 200
	check(t, "the pod answers later", d.Judge(answers, nil), "wrong: pod a answered")
}

func TestKeys(t *testing.T) {
	d := keys(at(manifests.Endpoints{Hash: &manifests.Hash{Header: "x-user"}}, 2, 0))
	var answers []Answer
	for i, q := range d.Requests {
		answers = append(answers, Answer{Key: q.Key, Pod: string(rune('a' + i%keysTried%2)), Status: 200})
	}
	check(t, "as it is", d.Judge(answers, nil), `right: 48 requests with 12 keys (header x-user): those with the same key met the same pod, and the keys together 2 of 2 pods`)
	answers[20].Pod = "c"
	check(t, "one astray", d.Judge(answers, nil), `wrong: requests with the header x-user "key-8" met the pods a and c`)
	answers[3].Pod, answers[3].Status = "", 503
	check(t, "no answer", d.Judge(answers, nil), "undecided: a request ended with status 503")
}

// What cannot be checked is said, with the reason.
func TestWhatCannotBeChecked(t *testing.T) {
	pool := func(p manifests.Pool) manifests.Endpoints { return manifests.Endpoints{Pool: &p} }
	eject := func(e manifests.Ejection) manifests.Endpoints { return manifests.Endpoints{Ejection: &e} }
	hurried := at(pool(manifests.Pool{Requests: 1}), 1, 0)
	hurried.Rule.Timeout = time.Second
	for _, c := range []struct {
		drill Drill
		why   string
	}{
		{limits(at(pool(manifests.Pool{RequestsPerConnection: 1}), 1, 0)), "it bounds no calls under way"},
		{limits(at(pool(manifests.Pool{Pending: 1}), 1, 0)), "without maxConnections"},
		{limits(at(pool(manifests.Pool{Requests: 1000}), 1, 0)), "it allows 1000 calls at once"},
		{limits(hurried), "the time limits of the rule"},
		{retries(at(pool(manifests.Pool{Retries: 1}), 1, 0)), "the rule does not send a call again"},
		{retries(at(pool(manifests.Pool{Retries: 1, Requests: 2}), 1, 1)), "other limits"},
		{budget(budgeted(100, 3)), "at 100 % it allows about as many retries as there are calls"},
		{budget(budgeted(20, 300)), "a check of it would have 305 requests under way, and has at most 200"},
		{budget(at(pool(manifests.Pool{Budget: &manifests.RetryBudget{Least: 3}}), 1, 0)), "the rule does not send a call again"},
		{budget(at(pool(manifests.Pool{Requests: 2, Budget: &manifests.RetryBudget{Least: 3}}), 1, 1)), "the limits of the connectionPool are lower"},
		{ejection(at(eject(manifests.Ejection{Errors: 500, Percent: 100}), 1, 0)), "500 failures in a row are needed"},
		{ejection(at(eject(manifests.Ejection{Errors: 2, Percent: 100}), 2, 1)), "the rule sends failed calls again"},
		{ejection(at(eject(manifests.Ejection{Errors: 2, Percent: 100, Panic: 50}), 1, 0)), "with 1 of 1 pod ejected"},
		{keys(at(manifests.Endpoints{Hash: &manifests.Hash{Header: "a"}}, 1, 0)), "there is 1 pod"},
		{keys(at(manifests.Endpoints{Hash: &manifests.Hash{}}, 2, 0)), "it has no key"},
	} {
		if !strings.HasPrefix(c.drill.Why, c.why) || (c.drill.Why == "") != (len(c.drill.Requests) > 0) {
			t.Errorf("%s at %+v: %q with %d requests, want %q", c.drill.Kind, *c.drill.Endpoints, c.drill.Why, len(c.drill.Requests), c.why)
		}
	}
}
