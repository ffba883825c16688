package reports

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Benchmark writes a report in Go's benchmark format (golang.org/design/14313-benchmark-format), for benchstat. Each second of a
// phase is one sample: the quantiles of its latencies, and the share of its requests that failed at the edge. Shares of checks
// and tries per request are one sample of the whole phase. A phase without valid data is left out, and so are latencies where
// requests were sent late; a comment in the output reports both.
//
// Only settings that must be the same for a comparison are written as configuration, because benchstat does not compare samples
// with different configurations.
func Benchmark(w io.Writer, r *Report) error {
	b := &benchmarks{}
	system, processor, _ := strings.Cut(r.Tool.System, "/")
	b.line("# hellochaos %s, %s, seed %d, %s", r.Tool.Version, r.Tool.Go, r.Settings.Seed, r.Started.UTC().Format("2006-01-02T15:04:05Z"))
	b.config("goos", system)
	b.config("goarch", processor)
	b.config("target", r.Target.Kind)
	b.config("fail", Probability(r.Settings.Fail))
	b.config("hang", Probability(r.Settings.Hang))
	b.config("cascade", r.Settings.Cascade)
	b.config("canary-weight", strconv.Itoa(r.Settings.CanaryWeight))
	for i := range r.Stages {
		for j := range r.Stages[i].Phases {
			b.phase(&r.Stages[i], &r.Stages[i].Phases[j])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// benchmarks are the lines that are being written.
type benchmarks struct{ strings.Builder }

func (b *benchmarks) line(format string, args ...any) {
	b.WriteString(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ") + "\n")
}

func (b *benchmarks) config(key, value string) {
	if value != "" {
		b.line("%s: %s", key, value)
	}
}

// sample writes one line of a benchmark: the number of observations, and pairs of a value and its unit.
func (b *benchmarks) sample(name string, n int64, values ...string) {
	b.line("Benchmark%s %d %s", name, n, strings.Join(values, " "))
}

func (b *benchmarks) phase(s *Stage, p *Phase) {
	at := fmt.Sprintf("/stage=%s/phase=%s", word(s.Name), word(p.Name))
	if p.GeneratorLimited || p.Replaced {
		b.line("# %s %s: left out, since %s", s.Name, p.Name, unusable(p))
		return
	}
	for i := range s.Checks {
		c := &s.Checks[i]
		m := c.After
		if p.Name == "before" {
			m = c.Before
		}
		if m != nil && m.Measured != nil && c.Unit == "share" && m.N > 0 {
			b.sample("Check"+at+"/check="+word(c.Name), m.N, number(*m.Measured)+" share")
		}
	}
	for _, a := range s.Amplification {
		f := a.After
		if p.Name == "before" {
			f = a.Before
		}
		if f != nil && f.Requests > 0 {
			b.sample("Amplification"+at+"/hop="+word(a.Hop), f.Requests, number(f.Measured)+" tries/request")
		}
	}
	for i := range p.Seconds {
		if ok, failed := counted(p.Seconds[i].OK), counted(p.Seconds[i].Failed); ok+failed > 0 {
			b.sample("Edge"+at, ok+failed, number(float64(failed)/float64(ok+failed))+" failures/request")
		}
	}
	if p.Late {
		b.line("# %s %s: latencies are left out, since requests were sent late", s.Name, p.Name)
		return
	}
	for i := range p.Seconds {
		b.latency("Latency"+at+"/outcome=ok", p.Seconds[i].OK)
		b.latency("Latency"+at+"/outcome=failed", p.Seconds[i].Failed)
	}
}

// unusable returns why no number of a phase is valid.
func unusable(p *Phase) string {
	if p.GeneratorLimited {
		return "the load generator could not keep its schedule"
	}
	return "pods were replaced during the phase"
}

// latency writes the quantiles of the latencies of one second and one outcome.
func (b *benchmarks) latency(name string, bins []Bin) {
	n := counted(bins)
	if n == 0 {
		return
	}
	var values []string
	for _, q := range []struct {
		q    float64
		unit string
	}{{0.5, "p50-ns"}, {0.9, "p90-ns"}, {0.99, "p99-ns"}} {
		var below int64
		for _, bin := range bins {
			if below += bin[1]; float64(below) >= q.q*float64(n) {
				values = append(values, strconv.FormatInt(1000*bin[0], 10)+" "+q.unit)
				break
			}
		}
	}
	b.sample(name, n, values...)
}

func counted(bins []Bin) (n int64) {
	for _, bin := range bins {
		n += bin[1]
	}
	return n
}

// number returns a value as the format requires it.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "0"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// word returns a text as a part of a benchmark's name. Blanks and slashes would end the part, and a hyphen with a number is read as a
// number of processors.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '-' || r <= ' ' || r == 0x7f:
			return '_'
		}
		return r
	}, s)
}
