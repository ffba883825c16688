package target

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

const metrics = `# TYPE hellochaos_tries_total counter
hellochaos_tries_total{attempt="2",code="200",mirrored="no",pinned="true",service="one",version="v1"} 4
hellochaos_tries_total{attempt="2",code="200",mirrored="no",pinned="false",service="one",version="v1"} 3
hellochaos_tries_total{attempt="1",code="499",mirrored="no",pinned="false",service="one",version="v1"} 5
hellochaos_tries_total{attempt="1",code="200",mirrored="copy",pinned="true",service="one",version="v1"} 2
hellochaos_tries_total{attempt="0",code="0",mirrored="no",pinned="true",service="one",version="v1"} 1
# TYPE hellochaos_tries_in_flight gauge
hellochaos_tries_in_flight{service="one",version="v1"} 7
# TYPE hellochaos_trail_form gauge
hellochaos_trail_form{form="3"} 1
# TYPE other gauge
other 1.5
`

func TestReadCounters(t *testing.T) {
	got, inFlight, err := ReadCounters(strings.NewReader(metrics))
	want := Counters{{"one", "v1", 0, StatusBroken, true, "", 1}, {"one", "v1", 1, 200, true, "copy", 2}, {"one", "v1", 1, StatusCut, false, "", 5}, {"one", "v1", 2, 200, false, "", 3}, {"one", "v1", 2, 200, true, "", 4}}
	if err != nil || inFlight != 7 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %d in flight, %v; want %v, 7, no error", got, inFlight, err, want)
	}
}

func TestReadCountersErrors(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"not metrics":               {"hellochaos_tries_total{", "{{", "reading metrics"},
		"attempt":                   {`attempt="2"`, `attempt="two"`, `label attempt is "two"`},
		"code":                      {`code="499"`, `code="-1"`, `label code is "-1"`},
		"a label less":              {`attempt="2",`, ``, "a line must have the labels service, version, attempt, code, pinned and mirrored"},
		"half a try":                {"} 3", "} 3.5", "value is 3.5"},
		"less than no try":          {"} 3", "} -3", "value is -3"},
		"infinitely many in flight": {"} 7", "} +Inf", "hellochaos_tries_in_flight: the value is +Inf"},
		"form 1":                    {`form="3"`, `form="1"`, `metric hellochaos_trail_form names form "1" of draws and trail, and this version of hellochaos knows only form "3": the pod's image is of another version of hello-service; build and load the image of this version (make push), and deploy it`},
		"no form":                   {"hellochaos_trail_form{form=\"3\"} 1\n", "", "there is no metric hellochaos_trail_form, and this version of hellochaos knows only form \"3\": the pod's image"},
		"pins not named":            {`pinned="false",`, ``, "a line must have the labels service, version, attempt, code, pinned and mirrored"},
		"mirrored":                  {`mirrored="copy"`, `mirrored="yes"`, `label mirrored is "yes"`},
		"pinned":                    {`pinned="false"`, `pinned="yes"`, `label pinned is "yes"`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(metrics, test.old, test.new, 1)
			if _, _, err := ReadCounters(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestCountersArithmetic(t *testing.T) {
	before := Counters{{"one", "v1", 1, 200, false, "", 5}, {"one", "v1", 1, 200, true, "", 1}, {"one", "v1", 2, 500, false, "", 1}}
	after := Counters{{"one", "v1", 1, 200, false, "", 8}, {"one", "v1", 1, 200, true, "", 8}, {"one", "v1", 2, 500, false, "", 1}, {"two", "a", 1, 200, false, "", 2}, {"two", "a", 1, 200, true, "", 9}}
	if got, want := after.Since(before), (Counters{{"one", "v1", 1, 200, false, "", 3}, {"one", "v1", 1, 200, true, "", 7}, {"two", "a", 1, 200, false, "", 2}, {"two", "a", 1, 200, true, "", 9}}); !reflect.DeepEqual(got, want) {
		t.Errorf("since: got %v, want %v", got, want)
	}
	replicas := Counters{{"two", "a", 1, 200, true, "", 3}, {"two", "a", 1, 200, false, "", 1}, {"one", "v1", 1, 200, false, "", 0}, {"two", "a", 1, 200, true, "", 6}, {"two", "a", 1, 200, false, "", 4}}
	if got, want := replicas.Total(), (Counters{{"two", "a", 1, 200, false, "", 5}, {"two", "a", 1, 200, true, "", 9}}); !reflect.DeepEqual(got, want) {
		t.Errorf("total: got %v, want %v", got, want)
	}
	for pinned, want := range map[bool]int64{false: 10, true: 17} {
		if got := after.Sum(func(t Tries) bool { return t.Status == 200 && t.Pinned == pinned }); got != want {
			t.Errorf("sum, pinned %v: got %d, want %d", pinned, got, want)
		}
	}
}

func FuzzReadCounters(f *testing.F) {
	f.Add([]byte(metrics))
	f.Add([]byte("hellochaos_tries_total{attempt=\"1\",code=\"200\",service=\"\",version=\"\"} NaN\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		counters, inFlight, err := ReadCounters(bytes.NewReader(text))
		if err != nil {
			if counters != nil || inFlight != 0 {
				t.Errorf("an error with counters %v and %d in flight", counters, inFlight)
			}
			return
		}
		for i, tries := range counters {
			if tries.Count <= 0 || tries.Attempt < 0 || tries.Status < 0 || i > 0 && counters[i-1].compare(tries) >= 0 {
				t.Errorf("line %d of %v is not a count in order", i, counters)
			}
		}
	})
}
