package attack

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Times of access logs: Envoy's default format begins with "[2026-11-28T06:30:23.123Z]", and nginx's formats common and combined have
// "[28/Nov/2026:06:30:23 +0000]".
var logTimes = []struct {
	form   *regexp.Regexp
	layout string
	whole  bool // seconds without a fraction
}{
	{regexp.MustCompile(`^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\]`), time.RFC3339Nano, false},
	{regexp.MustCompile(`\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]`), "02/Jan/2006:15:04:05 -0700", true},
}

// mostTimes is how many times of a file are replayed: 8 bytes each.
const mostTimes = MaxRequests

// ReadTimes reads when the requests of a file were sent: of results in one of Vegeta's formats, or of an access log of nginx or Envoy. The
// phase begins with the first one. Where a log has whole seconds alone, the requests of a second are spread over it evenly. The error begins with
// the name of the file.
func ReadTimes(file string) (Phase, error) {
	p := Phase{Name: "replay of " + file}
	read := timesOfLog
	if IsRecording(file) {
		read = timesOfResults
	}
	times, err := read(file)
	switch {
	case err != nil:
		return p, err
	case len(times) == 0:
		return p, fmt.Errorf("%s: has no times: it must be a file of vegeta's results, or an access log of nginx (combined) or Envoy (the default format)", file)
	case len(times) > mostTimes:
		return p, fmt.Errorf("%s: has %d requests, and at most %d are replayed", file, len(times), mostTimes)
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, t := range times {
		p.Times = append(p.Times, t.Sub(times[0]))
	}
	p.Duration = p.Times[len(times)-1] + 1
	if p.Duration > MaxSending {
		return p, fmt.Errorf("%s: its requests are of %v, and at most %v are replayed", file, p.Duration.Round(time.Hour), MaxSending)
	}
	return p, nil
}

func timesOfResults(file string) (times []time.Time, err error) {
	_, err = (&Recording{file: file}).each(func(result *vegeta.Result) { times = append(times, result.Timestamp) })
	return times, err
}

// timesOfLog reads the times of a log. Lines without one are passed over unless none has one.
func timesOfLog(file string) (times []time.Time, err error) {
	text, err := os.Open(filepath.Clean(file))
	if err != nil {
		var of *os.PathError
		if errors.As(err, &of) {
			err = of.Err
		}
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	defer text.Close()
	whole := true
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && len(times) <= mostTimes {
		for _, of := range logTimes {
			if found := of.form.FindSubmatch(lines.Bytes()); found != nil {
				if t, err := time.Parse(of.layout, string(found[1])); err == nil {
					times, whole = append(times, t), whole && of.whole
					break
				}
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if whole {
		spread(times)
	}
	return times, nil
}

// spread spreads the requests of each second over it.
func spread(times []time.Time) {
	slices.SortFunc(times, time.Time.Compare)
	for from := 0; from < len(times); {
		second, to := times[from], from
		for to < len(times) && times[to].Equal(second) {
			to++
		}
		for i := from; i < to; i++ {
			times[i] = second.Add(time.Duration(i-from) * time.Second / time.Duration(to-from))
		}
		from = to
	}
}
