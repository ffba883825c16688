package attack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// lateHeader is where a recording of ours has how much later than planned, in nanoseconds, a request was sent. Its results have the planned
// start as their time and the latency from there, so that Vegeta's reports show the latency that does not leave out waiting; with this header
// the time that the service took is known, too.
const lateHeader = "X-Hellochaos-Late"

// Recorder writes a result of Vegeta for each observation.
type Recorder struct {
	file   *os.File
	buffer *bufio.Writer
	encode vegeta.Encoder
	plan   *Plan
	began  time.Time
}

// NewRecorder makes the file, and truncates one that is there. The end of its name says which of Vegeta's formats it has: .json or .csv, or
// gob for every other name, which is what 'vegeta attack' writes.
func NewRecorder(name string) (*Recorder, error) {
	file, err := os.Create(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	r := &Recorder{file: file, buffer: bufio.NewWriterSize(file, 1<<16)}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		r.encode = vegeta.NewJSONEncoder(r.buffer)
	case ".csv":
		r.encode = vegeta.NewCSVEncoder(r.buffer)
	default:
		r.encode = vegeta.NewEncoder(r.buffer)
	}
	return r, nil
}

// Begin says of which attack the observations are, and when it began.
func (r *Recorder) Begin(plan *Plan, began time.Time) { r.plan, r.began = plan, began }

// Write writes an observation. Bodies and headers of answers are not kept.
func (r *Recorder) Write(o *Observation) error {
	to := &r.plan.Cohorts[o.Cohort]
	late := max(0, o.Started-o.Planned)
	result := vegeta.Result{Seq: uint64(o.Number), Code: uint16(o.Status), Timestamp: r.began.Add(o.Planned).Round(0), Latency: o.Response(),
		BytesOut: uint64(o.BytesOut), BytesIn: uint64(o.BytesIn), Error: o.Error, Method: to.Method, URL: to.URL,
		Headers: http.Header{lateHeader: {strconv.FormatInt(int64(late), 10)}}}
	if o.Status != 0 && o.Bad() {
		result.Error = fmt.Sprintf("%d %s", o.Status, http.StatusText(o.Status)) // as Vegeta has it
	}
	return r.encode(&result)
}

// Close writes what is left and closes the file.
func (r *Recorder) Close() error { return errors.Join(r.buffer.Flush(), r.file.Close()) }

// Recording is a file of results, of Vegeta or of a Recorder.
type Recording struct {
	file  string
	first time.Time // the earliest start
	// Targets are the methods and URLs that occur, as the first MaxTargets of them came.
	Targets []Cohort
	// Planned says that the times are those at which requests were planned. Those of Vegeta are when a worker had time for a request, so that
	// waiting before is in no latency.
	Planned bool
	// Result has the figures that follow from the results: Began, Elapsed, Sent and Observed, Planned, and AchievedRate, which is also PlannedRate.
	Result Result
}

// errNotRecording is the error of OpenRecording for a file of another kind.
var errNotRecording = errors.New("is no file of results in one of Vegeta's formats (gob, json, csv)")

// OpenRecording reads a file of results once, for its figures. The error says that the file is none, or where it ends in the middle of a result.
func OpenRecording(file string) (*Recording, error) {
	r := &Recording{file: file, Planned: true}
	known := map[string]bool{}
	var last time.Time
	n, err := r.each(func(result *vegeta.Result) {
		if r.first.IsZero() || result.Timestamp.Before(r.first) {
			r.first = result.Timestamp
		}
		if result.Timestamp.After(last) {
			last = result.Timestamp
		}
		r.Planned = r.Planned && len(result.Headers[lateHeader]) > 0
		if name := result.Method + " " + result.URL; !known[name] && len(r.Targets) < MaxTargets {
			known[name] = true
			r.Targets = append(r.Targets, Cohort{Name: name, Method: result.Method, URL: result.URL})
		}
	})
	if err != nil {
		return nil, err
	}
	r.Result = Result{Began: r.first, Planned: n, Sent: n, Observed: n}
	if took := last.Sub(r.first).Seconds(); n > 1 && took > 0 {
		r.Result.AchievedRate = float64(n-1) / took
	}
	r.Result.PlannedRate = r.Result.AchievedRate
	return r, nil
}

// Observations hands over what the file has of each request, in the order of the file. Cohorts are those of Targets; the requests of further
// ones count as the first's. OpenRecording has read the file before; the error is for a file that has changed since.
func (r *Recording) Observations(observe func(*Observation)) error {
	cohorts := map[string]int{}
	for i := range r.Targets {
		cohorts[r.Targets[i].Name] = i
	}
	lags := newHistogram()
	late := 0
	_, err := r.each(func(result *vegeta.Result) {
		o := Observation{Number: int(result.Seq), Cohort: cohorts[result.Method+" "+result.URL], Planned: result.Timestamp.Sub(r.first), Latency: result.Latency,
			Status: int(result.Code), BytesIn: int64(result.BytesIn), BytesOut: int64(result.BytesOut)}
		behind := time.Duration(0)
		if text := result.Headers[lateHeader]; len(text) > 0 {
			nanoseconds, _ := strconv.ParseInt(text[0], 10, 64) // of a damaged file: not late
			behind = min(max(0, time.Duration(nanoseconds)), o.Latency)
		}
		o.Started, o.Latency = o.Planned+behind, o.Latency-behind
		if record(lags, behind); behind > lateAfter {
			late++
		}
		if o.Status == 0 {
			o.Error = recordedClass(result.Error)
		}
		r.Result.Elapsed = max(r.Result.Elapsed, o.Started+o.Latency)
		observe(&o)
	})
	r.Result.LagMedian, r.Result.LagP99 = quantile(lags, 0.5), quantile(lags, 0.99)
	r.Result.LateShare = float64(late) / float64(max(1, r.Result.Sent))
	r.Result.Judge()
	return err
}

// spelled are parts of the errors of net/http that Vegeta records, where their classes have other words.
var spelled = []struct{ part, class string }{{"Client.Timeout", Timeout}, {"deadline exceeded", Timeout}, {"i/o timeout", Timeout}, {"reset by peer", Reset},
	{"no such host", Unknown}, {"broken pipe", Closed}, {"unexpected EOF", Cut}, {"EOF", Closed}, {"too many open files", Full}, {"assign requested address", Full}}

// recordedClass is the class of an error that a result has: of ours the class itself, of Vegeta the text that net/http made of it.
func recordedClass(text string) string {
	if class := classOf(text); class != Other {
		return class
	}
	for _, t := range spelled {
		if strings.Contains(text, t.part) {
			return t.class
		}
	}
	return string(classify(errors.New(text), nil))
}

// each reads all results of the file. A result without a time and an URL is of no attack: a decoder of JSON that passes unknown fields over
// takes other files for results.
func (r *Recording) each(take func(*vegeta.Result)) (n int, err error) {
	file, err := os.Open(filepath.Clean(r.file))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	decode := vegeta.DecoderFor(bufio.NewReaderSize(file, 1<<16))
	if decode == nil {
		return 0, fmt.Errorf("%s: %w", r.file, errNotRecording)
	}
	for read := 0; ; read++ {
		var result vegeta.Result
		switch err := decode(&result); {
		case errors.Is(err, io.EOF) && read > 0:
			return n, nil
		case err != nil:
			return n, fmt.Errorf("%s: result %d cannot be read: %w", r.file, read+1, err)
		case result.Timestamp.IsZero() || result.Timestamp.Unix() == 0:
			return n, fmt.Errorf("%s: %w", r.file, errNotRecording)
		}
		if result.URL != "" || result.Code != 0 { // Vegeta writes a result without both for the request at which its targets ended
			n++
			take(&result)
		}
	}
}

// IsRecording reports whether a file begins with a result in one of Vegeta's formats.
func IsRecording(name string) bool {
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return false
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return false // a FIFO can be read only once
	}
	decode := vegeta.DecoderFor(file)
	if decode == nil {
		return false
	}
	var result vegeta.Result
	return decode(&result) == nil && result.Timestamp.Unix() > 0
}
