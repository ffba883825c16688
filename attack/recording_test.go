package attack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// recorded are observations of a plan with one target: good ones, a late one, an error and a bad status.
var recorded = []Observation{
	{Number: 0, Planned: 0, Started: time.Millisecond, Latency: 2 * time.Millisecond, Status: 200, BytesIn: 5, BytesOut: 3},
	{Number: 1, Planned: 100 * time.Millisecond, Started: 150 * time.Millisecond, Latency: time.Millisecond, Status: 204},
	{Number: 2, Planned: 200 * time.Millisecond, Started: 200 * time.Millisecond, Latency: time.Second, Error: Refused},
	{Number: 3, Planned: 300 * time.Millisecond, Started: 300 * time.Millisecond, Latency: time.Millisecond, Status: 503, BytesIn: 7},
}

// Vegeta's own decoders and metrics read what is written, in every format, and so do we.
func TestRecording(t *testing.T) {
	plan := planFor("http://a/", len(recorded), 10)
	plan.Cohorts = []Cohort{NewTarget("POST", "http://a/x", nil, nil)}
	began := time.Now()
	for _, name := range []string{"r.bin", "r.json", "r.csv"} {
		file := filepath.Join(t.TempDir(), name)
		r, err := NewRecorder(file)
		if err != nil {
			t.Fatal(err)
		}
		r.Begin(&plan, began)
		for i := range recorded {
			if err := r.Write(&recorded[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var metrics vegeta.Metrics
		decode := vegeta.DecoderFor(bytes.NewReader(text))
		for {
			var result vegeta.Result
			if err := decode(&result); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(name, err)
			}
			metrics.Add(&result)
		}
		metrics.Close()
		if fmt.Sprint(metrics.StatusCodes) != "map[0:1 200:1 204:1 503:1]" || metrics.Success != 0.5 || metrics.BytesIn.Total != 12 || metrics.BytesOut.Total != 3 ||
			metrics.Latencies.Max != time.Second || fmt.Sprint(metrics.Errors) != "[connection refused 503 Service Unavailable]" {
			t.Errorf("%s: vegeta reports %+v", name, metrics)
		}
		recording, err := OpenRecording(file)
		if err != nil || !IsRecording(file) {
			t.Fatal(name, err)
		}
		var again []Observation
		if err := recording.Observations(func(o *Observation) { again = append(again, *o) }); err != nil || fmt.Sprint(again) != fmt.Sprint(recorded) {
			t.Errorf("%s: %v\n got %v\nwant %v", name, err, again, recorded)
		}
		if of := recording.Result; !recording.Planned || of.Sent != 4 || fmt.Sprintf("%.6g", of.AchievedRate) != "10" || of.Elapsed != 1200*time.Millisecond ||
			of.LateShare != 0.25 || !of.Late || recording.Targets[0].Name != "POST http://a/x" {
			t.Errorf("%s: %+v", name, recording)
		}
	}
}

// What 'vegeta attack' writes is read; the result at which its targets ended is none.
func TestRecordingOfVegeta(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	file := filepath.Join(t.TempDir(), "v.bin")
	to, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	encode, sent := vegeta.NewEncoder(to), 0 // a busy machine sends fewer than planned
	for result := range vegeta.NewAttacker().Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: "GET", URL: url}), vegeta.Rate{Freq: 500, Per: time.Second}, 40*time.Millisecond, "v") {
		sent++
		if err := encode(result); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{`Get "http://a/": read tcp 1.2.3.4:5->6.7.8.9:80: read: connection reset by peer`, "no targets to attack"} {
		result := vegeta.Result{Timestamp: time.Now(), Error: text}
		if text[0] == 'G' {
			result.Method, result.URL = "GET", url
		}
		if err := encode(&result); err != nil {
			t.Fatal(err)
		}
	}
	to.Close()
	recording, err := OpenRecording(file)
	if err != nil {
		t.Fatal(err)
	}
	statuses, bytes, errors := map[int]int{}, int64(0), map[string]int{}
	if err := recording.Observations(func(o *Observation) {
		statuses[o.Status]++
		errors[o.Error]++
		bytes += o.BytesIn
	}); err != nil {
		t.Fatal(err)
	}
	if recording.Planned || sent == 0 || statuses[200] != sent || statuses[0] != 1 || bytes != int64(5*sent) || errors[Reset] != 1 {
		t.Errorf("planned %v, statuses %v, %d bytes, errors %v", recording.Planned, statuses, bytes, errors)
	}
}

func TestNoRecording(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"report.json": "{\n \"schema\": 1\n}\n", "line.json": "{\"schema\":1}\n", "empty": "", "page.csv": "a,b\n"} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRecording(file); err == nil || IsRecording(file) {
			t.Errorf("%s is taken for results: %v", name, err)
		}
	}
}
