// Package load is the report of an attack on addresses: its schema, and how it is read and printed. It knows figures and verdicts; it must not
// know how anything was sent, measured or judged.
package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/stats"
)

// Schema is what Report.Schema has.
const Schema = "hellochaos attack 1"

// FileName and TextName are the files that Save writes into a folder.
const (
	FileName = reports.FileName
	TextName = "report.txt"
)

// Report is what came of an attack. Times are seconds, rates are numbers a second, shares are in [0, 1], and intervals have a confidence of
// 95 %, but for those of expectations.
type Report struct {
	Schema  string    `json:"schema"`
	Version string    `json:"version"` // of hellochaos
	Command []string  `json:"command,omitempty"`
	Began   time.Time `json:"began"`
	// Recording is the file whose results these are; empty for an attack that was sent.
	Recording string   `json:"recording,omitempty"`
	Targets   []Target `json:"targets"`
	// Verdict is the worst of the expectations; empty where nothing was expected.
	Verdict      reports.Verdict `json:"verdict,omitempty"`
	Expectations []Expectation   `json:"expectations,omitempty"`
	// Interrupted says why the attack ended before its end; empty: it did not.
	Interrupted string `json:"interrupted,omitempty"`
	// Aborted is the expectation for which the attack ended early (--abort-on-fail); empty: for none.
	Aborted string `json:"aborted,omitempty"`
	// Workers is how many processes sent the attack; 0: this one alone. Incomplete are those that died: what is missing is in no figure.
	Workers    int      `json:"workers,omitempty"`
	Incomplete []Worker `json:"incomplete,omitempty"`
	// Clocks is between how many seconds the clocks of workers elsewhere are ahead of the one of the machine that directs them; nil where they
	// have the same.
	Clocks *stats.Interval `json:"clocks,omitempty"`
	// Limited: more requests than 1 % of those that were due were never sent, or more than 5 % left more than 20 ms late, so that no verdict about
	// latency follows. Warnings have sentences about that.
	Limited  bool     `json:"generatorLimited"`
	Warnings []string `json:"warnings,omitempty"`

	// Phases are the parts of the schedule, in order; none where it has only one. What was measured in a warm-up is in its row alone.
	Phases []Phase `json:"phases,omitempty"`
	// Closed: a request left as soon as another one was answered, so that slow answers delayed the requests after them. Nothing was planned then,
	// and latencies leave out what users would have waited.
	Closed bool `json:"closedLoop,omitempty"`

	// ByTarget has a row for each target where there are several, and ByStatus one for each status of an answer.
	ByTarget []Row `json:"byTarget,omitempty"`
	ByStatus []Row `json:"byStatus,omitempty"`
	// Windows are the parts of the time in which requests were planned, of equal width: at most 600. Bins are the latencies of good answers.
	Windows []Window `json:"windows,omitempty"`
	Bins    []Bin    `json:"bins,omitempty"`

	Requests Requests `json:"requests"`
	Rate     Rate     `json:"rate"`
	// Latency is from the planned start of each request until its answer was read, and Service from when it was sent.
	Latency Outcomes `json:"latency"`
	Service Outcomes `json:"serviceTime"`
	// FromStart says that the planned starts are not known, as in a recording of Vegeta: then Latency is from when a request was sent.
	FromStart bool `json:"latencyFromSending,omitempty"`
	// Statuses are requests by the status of the answer, without those that got no complete one. These are in Errors.
	Statuses map[int]int64 `json:"statuses"`
	Errors   []Error       `json:"errors"`
	// BytesIn and BytesOut are the bodies of complete answers, and of the requests that got one.
	BytesIn  int64 `json:"bytesIn"`
	BytesOut int64 `json:"bytesOut"`
	// Connections are nil for a recording.
	Connections *Connections `json:"connections,omitempty"`
	Schedule    Schedule     `json:"schedule"`
}

// Target is what was requested, and with which weight.
type Target struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Weight int    `json:"weight"`
}

// Requests are counts that add up, but for what is missing of workers that died: Planned is Sent and Skipped, and where the attack was interrupted those that were not due yet; Sent is OK,
// Failed and GivenUp.
type Requests struct {
	Planned int64 `json:"planned"`
	Sent    int64 `json:"sent"`
	Skipped int64 `json:"skipped"` // due and never sent
	OK      int64 `json:"ok"`      // a complete answer with a status from 200 to 399
	Failed  int64 `json:"failed"`
	GivenUp int64 `json:"givenUp"` // in flight when the attack was interrupted
	// FailedShare is where the share of the failed ones lies; nil without an answer.
	FailedShare *stats.Interval `json:"failedShare,omitempty"`
}

// Worker is one that died.
type Worker struct {
	Number  int    `json:"number"` // from 1
	Of      int    `json:"of"`
	Planned int64  `json:"planned"` // its requests
	Missing int64  `json:"missing"` // those of which nothing is known
	Why     string `json:"why"`
}

// Phase is what came of a part of the schedule.
type Phase struct {
	Name    string  `json:"name"`
	Warmup  bool    `json:"warmup,omitempty"`
	Seconds float64 `json:"seconds"` // planned
	Planned int64   `json:"planned"`
	Skipped int64   `json:"skipped"` // due and never sent
	OK      int64   `json:"ok"`
	Failed  int64   `json:"failed"`
	// Limited is that of the report, for this phase.
	Limited bool         `json:"generatorLimited"`
	Latency Distribution `json:"latency"` // of good answers, from the planned start
}

// Row is the requests of one target, or those that were answered with one status.
type Row struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"`
	Failed   int64  `json:"failed"`
	// Latency is that of good answers of a target, and of all answers with a status; empty for what is beyond the first 64 of them.
	Latency Distribution `json:"latency"`
}

// Window is a part of the time.
type Window struct {
	At       float64 `json:"at"`      // its beginning
	Seconds  float64 `json:"seconds"` // its width
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed"`
	// P50, P99 and Max are latencies of good answers; 0 where there were none.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Bin counts latencies up to To and above the bin before, or above a tenth of a power of ten less.
type Bin struct {
	To    float64 `json:"to"`
	Count int64   `json:"count"`
}

// Edge is the upper end of the bin to which a latency belongs: there are ten in each power of ten.
func Edge(seconds float64) float64 {
	return math.Pow(10, math.Ceil(10*math.Log10(max(seconds, 1e-6))-1e-9)/10)
}

// Rate is how many requests were planned and sent a second, and how many good answers came.
type Rate struct {
	Planned float64 `json:"planned"`
	Sent    float64 `json:"sent"`
	OK      float64 `json:"ok"`
}

// Outcomes are the times of good answers, and of requests that failed.
type Outcomes struct {
	OK     Distribution `json:"ok"`
	Failed Distribution `json:"failed"`
}

// Distribution has quantiles, and the largest value.
type Distribution struct {
	N         int64      `json:"n"`
	Quantiles []Quantile `json:"quantiles,omitempty"`
	Max       float64    `json:"max"`
}

// Quantile is a value with its interval, which is nil where there are too few data for one, and for times other than Latency.OK.
type Quantile struct {
	Q        float64         `json:"q"`
	Seconds  float64         `json:"seconds"`
	Interval *stats.Interval `json:"interval,omitempty"`
}

// Error is a class of errors by which requests got no complete answer, with the text of the first one; empty where it is not known.
type Error struct {
	Class string `json:"class"`
	Count int64  `json:"count"`
	First string `json:"first,omitempty"`
}

// Connections counts them, and the requests in flight at the same time.
type Connections struct {
	Opened       int `json:"opened"`
	MostInFlight int `json:"mostInFlight"`
	Most         int `json:"most"` // requests that may be in flight
}

// Schedule says how much later than planned requests left.
type Schedule struct {
	LagMedian float64 `json:"lagMedian"`
	LagP99    float64 `json:"lagP99"`
	LateShare float64 `json:"lateShare"` // of those that left more than 20 ms late
}

// Unit is what the numbers of an expectation are counted in.
type Unit string

// The units.
const (
	Share     Unit = "share"
	Seconds   Unit = "seconds"
	PerSecond Unit = "perSecond"
)

// Expectation is what a user wants of the attack, and what became of it. Its interval has a confidence of 99.9 %.
type Expectation struct {
	Text     string          `json:"text"`
	Verdict  reports.Verdict `json:"verdict"`
	Unit     Unit            `json:"unit"`
	Measured *float64        `json:"measured,omitempty"`
	Interval *stats.Interval `json:"interval,omitempty"`
	// Confidence of Interval, in (0,1); 0 where what is expected was counted, and not estimated.
	Confidence float64 `json:"confidence,omitempty"`
	Why        string  `json:"why"`
}

// ExitCode is what a command ends with that sent the attack.
func (r *Report) ExitCode() int {
	switch {
	case r.Interrupted != "":
		return reports.ExitAborted
	case len(r.Incomplete) > 0:
		return reports.ExitInconclusive
	case r.Verdict == reports.Fail:
		return reports.ExitFail
	case r.Verdict == reports.Pass:
		return reports.ExitPass
	case r.Verdict != "":
		return reports.ExitInconclusive
	case r.Requests.OK+r.answered() == 0:
		return reports.ExitInfrastructure // nothing answered at all
	}
	return reports.ExitPass
}

// answered is how many requests got a complete answer.
func (r *Report) answered() (n int64) {
	for _, count := range r.Statuses {
		n += count
	}
	return n
}

// JSON writes the report.
func JSON(w io.Writer, r *Report) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// Save writes the report into a folder in all formats. It returns the names of the files that were written.
func Save(folder string, r *Report) (written []string, err error) {
	for _, format := range Formats {
		var text bytes.Buffer
		if err := format.Write(&text, r); err != nil {
			return written, err
		}
		if err := os.WriteFile(filepath.Join(folder, format.File), text.Bytes(), 0o644); err != nil {
			return written, err
		}
		written = append(written, format.File)
	}
	return written, nil
}

// Load reads the report of an attack from a file, or from the folder into which Save wrote it. ok is false for what is no such report.
func Load(name string) (r *Report, ok bool, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, false, nil
	}
	if info.IsDir() {
		name = filepath.Join(name, FileName)
		info, err = os.Stat(name)
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil, false, nil // a FIFO can be read only once
	}
	text, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, false, nil
	}
	var head struct {
		Schema json.RawMessage `json:"schema"`
	}
	if json.Unmarshal(text, &head) != nil || string(head.Schema) != fmt.Sprintf("%q", Schema) {
		return nil, false, nil
	}
	r = &Report{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(r); err != nil {
		return nil, true, fmt.Errorf("%s: is no report of an attack of this version: %w", name, err)
	}
	return r, true, nil
}
