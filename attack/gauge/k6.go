package gauge

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/expect"
)

// threshold is a threshold as k6 has it: a metric, which k6 names elsewhere, an aggregation, and a limit, in milliseconds where it is a time.
var threshold = regexp.MustCompile(`^(?:([a-z_]+)(?:\{.*\})?\s*:?\s*)??(p\([0-9.]+\)|p[0-9.]+|avg|med|min|max|rate|count)\s*(<=|<|>=|>|===?)\s*([0-9.]+)(ms|s)?$`)

// k6Durations are the metrics of k6 that are times of a request.
const k6Durations = "http_req_duration http_req_waiting http_req_receiving http_req_sending http_req_blocked http_req_connecting http_req_tls_handshaking iteration_duration"

// ofK6 says how an expectation is written that a text has in the form of k6; empty where the text is none, or where the suggestion itself could
// not be read.
func ofK6(text string) string {
	m := threshold.FindStringSubmatch(strings.Trim(strings.TrimSpace(text), `'"`))
	if m == nil {
		return ""
	}
	metric, of, sign, limit, unit := m[1], m[2], strings.Replace(m[3], "===", "=", 1), m[4], m[5]
	number, err := strconv.ParseFloat(limit, 64)
	if err != nil {
		return ""
	}
	if unit == "" {
		unit = "ms"
	}
	percent := strconv.FormatFloat(number*100, 'g', 6, 64) + "%"
	wanted, why := "", ""
	switch {
	case metric == "http_req_failed" && of == "rate", metric == "" && of == "rate" && number <= 1 && sign[0] == '<':
		wanted = fmt.Sprintf("errors %s %s", sign, percent)
	case metric == "checks" && of == "rate" && number <= 1 && sign[0] == '>':
		wanted = fmt.Sprintf("errors %s %s%%", strings.Replace(sign, ">", "<", 1), strconv.FormatFloat((1-number)*100, 'g', 6, 64))
		why = ": there are no checks but those of the status"
	case (metric == "http_reqs" || metric == "iterations" || metric == "") && of == "rate":
		wanted = fmt.Sprintf("rate %s %s/s", sign, limit)
	case metric != "" && !strings.Contains(" "+k6Durations+" ", " "+metric+" "):
		return ""
	case of == "med":
		wanted = fmt.Sprintf("p50 %s %s%s", sign, limit, unit)
	case of == "avg":
		wanted, why = fmt.Sprintf("p50 %s %s%s", sign, limit, unit), ": no average can be expected, which a few slow answers move and many hide, and p50 is the median"
	case of == "max":
		wanted, why = fmt.Sprintf("p99.9 %s %s%s", sign, limit, unit), ": the slowest answer of all says little of the others"
	case of[0] == 'p':
		wanted = fmt.Sprintf("p%s %s %s%s", strings.Trim(of[1:], "()"), sign, limit, unit)
	}
	if _, err := expect.ParseLoad(wanted); err != nil {
		return ""
	}
	return fmt.Sprintf("'%s'%s", wanted, why)
}
