package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// number is a probability or a number of seconds, with at most three significant digits.
func number(v float64) string {
	return strconv.FormatFloat(mustParse(strconv.FormatFloat(v, 'g', 3, 64)), 'f', -1, 64)
}

// mustParse reads what FormatFloat has written.
func mustParse(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return v
}

// percent is a share: "19.6 %".
func percent(v float64) string { return number(100*v) + " %" }

// ofAll says a share of calls as a subject: "every call", "30 % of the calls".
func ofAll(share float64) string {
	if share >= 1 {
		return "every call"
	}
	return percent(share) + " of the calls"
}

// count is a number with a comma before each three digits.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted is a number of things.
func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return count(n) + " " + thing
}

// list joins names: "a", "a and b", "a, b and c".
func list(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// either joins names of which one is meant: "a", "a or b", "a, b or c".
func either(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// cohorts are names of cohorts: `the cohorts "exact header" and "no header"`.
func cohorts(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, strconv.Quote(name))
	}
	if len(all) == 1 {
		return "cohort " + all[0]
	}
	return "the cohorts " + list(all)
}

// rule names a rule with its place: "VirtualService middleware, http[1] (canary.yaml:24)".
func rule(r *reports.Rule) string {
	if r.File == "" {
		return r.Name
	}
	return r.Name + " (" + place(r.File, r.Line) + ")"
}

func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return file + ":" + strconv.Itoa(line)
}

// proxy names the proxy that sends calls, in a phase whose requests enter so.
func proxy(from, entry string) string {
	switch {
	case from != edge:
		return "the proxy of " + from
	case entry == reports.EntryGateway:
		return "the gateway"
	}
	return "the proxy at which requests enter"
}

// edge is the caller of the requests of the run.
const edge = "edge"

// calls names the calls of a row: "requests to frontend", "calls from frontend to middleware".
func calls(from, to string) string {
	if from == edge && to == "" {
		return "requests"
	}
	if from == edge {
		return "requests to " + to
	}
	return "calls from " + from + " to " + to
}

// short is a destination's subset, or its host, of which the name in its namespace is enough where it is a Service.
func short(name string) string {
	if _, subset, ok := strings.Cut(name, " subset "); ok {
		return subset
	}
	if strings.HasSuffix(name, ".svc.cluster.local") {
		name, _, _ = strings.Cut(name, ".")
	}
	return name
}

// tries is a number of tries as a limit: "1 try", "4 tries".
func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

// times is how often something happens at most: "once", "3 times".
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
