package target

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Counters are the tries that each service received, as the service itself counted them.
type Counters []Tries

// Tries is one line of a service's counters.
type Tries struct {
	// Service and Version name the workload that received the tries.
	Service, Version string
	// Attempt is the attempt count that the tries carried; 0 when they carried none.
	Attempt int
	// Status is the status that the service answered. It is StatusCut when the caller went away before the answer, and
	// StatusBroken when the service broke the connection instead.
	Status int
	// Pinned says that the tries were of requests with pinned failures (trail.HeaderPins).
	Pinned bool
	// Mirrored is trail.Copy for copies that a proxy sent to a mirror, trail.BelowCopy for tries of what was called on behalf of one, and
	// empty for all others.
	Mirrored string
	// Count is how many such tries the service received.
	Count int64
}

// StatusCut stands for a try whose caller ended it before the service answered, as a per-try timeout does.
const StatusCut = trail.CodeCut

// StatusBroken stands for a try whose connection the service broke without an answer.
const StatusBroken = trail.CodeBroken

// ReadCounters reads what one pod counted from its /metrics in Prometheus' text form, and how many tries it has in
// flight. The error names the metric and the label that cannot be understood, or reports that the pod runs another version of
// hello-service: one whose trail.MetricForm is missing or is not trail.Form. ReadCounters ignores other metrics.
func ReadCounters(r io.Reader) (counters Counters, inFlight int64, err error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, 0, fmt.Errorf("reading metrics: %w", err)
	}
	if err := checkForm(families[trail.MetricForm]); err != nil {
		return nil, 0, err
	}
	var problems []error
	for _, metric := range families[trail.MetricTries].GetMetric() {
		tries, err := readTries(metric)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading metric %s: %w", trail.MetricTries, err))
			continue
		}
		counters = append(counters, tries)
	}
	for _, metric := range families[trail.MetricInFlight].GetMetric() {
		count, err := whole(metric.GetGauge().GetValue())
		if err != nil {
			problems = append(problems, fmt.Errorf("reading metric %s: %w", trail.MetricInFlight, err))
		}
		inFlight += count
	}
	if problems != nil {
		return nil, 0, errors.Join(problems...)
	}
	return counters.Total(), inFlight, nil
}

// ErrForm is the error for a pod whose hello-service has another version of draws and trail. Its counts and recordings cannot be
// judged.
var ErrForm = errors.New("the pod's image is of another version of hello-service; build and load the image of this version (make push), and deploy it")

// checkForm returns an error unless a pod has this program's version of draws and trail.
func checkForm(family *dto.MetricFamily) error {
	what := "there is no metric " + trail.MetricForm
	for _, metric := range family.GetMetric() {
		for _, label := range metric.GetLabel() {
			if label.GetName() == "form" && metric.GetGauge().GetValue() == 1 {
				if label.GetValue() == trail.Form {
					return nil
				}
				what = fmt.Sprintf("metric %s names form %.40q of draws and trail", trail.MetricForm, label.GetValue())
			}
		}
	}
	return fmt.Errorf("%s, and this version of hellochaos knows only form %q: %w", what, trail.Form, ErrForm)
}

// readTries reads one line of trail.MetricTries.
func readTries(metric *dto.Metric) (t Tries, err error) {
	var problems []error
	number := func(name, value string) (n int) {
		parsed, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			problems = append(problems, fmt.Errorf("label %s is %q: it must be a whole number of at least 0", name, value))
		}
		return int(parsed)
	}
	seen := 0
	for _, label := range metric.GetLabel() {
		seen++
		switch label.GetName() {
		case "service":
			t.Service = label.GetValue()
		case "version":
			t.Version = label.GetValue()
		case "attempt":
			t.Attempt = number("attempt", label.GetValue())
		case "code":
			t.Status = number("code", label.GetValue())
		case "pinned":
			if t.Pinned = label.GetValue() == "true"; !t.Pinned && label.GetValue() != "false" {
				problems = append(problems, fmt.Errorf("label pinned is %q: want true or false", label.GetValue()))
			}
		case "mirrored":
			switch value := label.GetValue(); value {
			case trail.NoCopy:
			case trail.Copy, trail.BelowCopy:
				t.Mirrored = value
			default:
				problems = append(problems, fmt.Errorf("label mirrored is %q: want %s, %s or %s", value, trail.NoCopy, trail.Copy, trail.BelowCopy))
			}
		default:
			seen--
		}
	}
	if seen != 6 {
		problems = append(problems, errors.New("a line must have the labels service, version, attempt, code, pinned and mirrored"))
	}
	if t.Count, err = whole(metric.GetCounter().GetValue()); err != nil {
		problems = append(problems, err)
	}
	return t, errors.Join(problems...)
}

// whole is a metric's value as a whole number. Any other value is an error.
func whole(value float64) (int64, error) {
	if !(value >= 0 && value <= 1<<53) || value != float64(int64(value)) {
		return 0, fmt.Errorf("the value is %v: it must be a whole number in [0, 2^53]", value)
	}
	return int64(value), nil
}

// Total is c with lines that differ only in their count added up, as those of replicas do, and without lines that count 0. The
// lines are in the order of service, version, attempt, status, pinned and mirrored, those without pins, and those of no copies, first.
func (c Counters) Total() Counters {
	sorted := slices.Clone(c)
	slices.SortFunc(sorted, Tries.compare)
	var total Counters
	for _, t := range sorted {
		last := len(total) - 1
		switch {
		case t.Count == 0:
		case last >= 0 && total[last].compare(t) == 0:
			total[last].Count += t.Count
		default:
			total = append(total, t)
		}
	}
	return total
}

// compare orders lines by service, version, attempt and status.
func (t Tries) compare(other Tries) int {
	return cmp.Or(cmp.Compare(t.Service, other.Service), cmp.Compare(t.Version, other.Version),
		cmp.Compare(t.Attempt, other.Attempt), cmp.Compare(t.Status, other.Status), compareBool(t.Pinned, other.Pinned), cmp.Compare(t.Mirrored, other.Mirrored))
}

// Since is the difference c - before, line by line. Lines without a difference are left out.
func (c Counters) Since(before Counters) Counters {
	type key struct {
		service, version string
		attempt, status  int
		pinned           bool
		mirrored         string
	}
	was := make(map[key]int64, len(before))
	for _, t := range before {
		was[key{t.Service, t.Version, t.Attempt, t.Status, t.Pinned, t.Mirrored}] += t.Count
	}
	var since Counters
	for _, t := range c {
		if t.Count -= was[key{t.Service, t.Version, t.Attempt, t.Status, t.Pinned, t.Mirrored}]; t.Count != 0 {
			since = append(since, t)
		}
	}
	return since
}

// Natural has the lines of the tries of requests without pinned failures.
func (c Counters) Natural() Counters {
	return slices.DeleteFunc(slices.Clone(c), func(t Tries) bool { return t.Pinned })
}

// Uncopied has the lines of tries that are neither of copies for mirrors nor on behalf of one.
func (c Counters) Uncopied() Counters {
	return slices.DeleteFunc(slices.Clone(c), func(t Tries) bool { return t.Mirrored != "" })
}

// Sum is the number of tries in c for whose line want returns true.
func (c Counters) Sum(want func(Tries) bool) int64 {
	var sum int64
	for _, t := range c {
		if want(t) {
			sum += t.Count
		}
	}
	return sum
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
