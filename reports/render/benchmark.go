package render

import (
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports"
)

// Benchmark writes a report in Go's benchmark format (golang.org/design/14313-benchmark-format), for benchstat. Each second of a
// phase is one sample: the quantiles of its latencies, and the share of its requests that failed at the edge. Shares
// and tries per request are one sample of the whole phase. A phase without valid data is left out, and so are latencies where
// requests were sent late; a comment in the output reports both.
//
// Only settings that must be the same for a comparison are written as configuration, because benchstat does not compare samples
// with different configurations.
func Benchmark(w io.Writer, r *reports.Report) error {
	b := &benchmarks{}
	system, processor, _ := strings.Cut(r.Tool.System, "/")
	b.line("# hellochaos %s, %s, seed %d, %s", r.Tool.Version, r.Tool.Go, r.Settings.Seed, r.Started.UTC().Format("2006-01-02T15:04:05Z"))
	b.config("goos", system)
	b.config("goarch", processor)
	b.config("target", r.Target.Kind)
	b.config("fail", Probability(r.Settings.Fail))
	b.config("hang", Probability(r.Settings.Hang))
	b.config("cascade", r.Settings.Cascade)
	for _, name := range slices.Sorted(maps.Keys(r.Settings.Parameters)) {
		if key.MatchString(name) {
			b.config(name, r.Settings.Parameters[name])
		}
	}
	for i := range r.Phases {
		b.phase(&r.Phases[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// key matches the names of parameters that the format accepts as names of a configuration.
var key = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

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

func (b *benchmarks) phase(p *reports.Phase) {
	at := "/phase=" + word(p.Name)
	if p.GeneratorLimited || p.Replaced {
		b.line("# %s: left out, since %s", p.Name, unusable(p))
		return
	}
	share := func(name string, s *reports.Share) {
		if s.Measured != nil && s.N > 0 {
			b.sample("Share"+at+"/share="+word(name), s.N, decimal(*s.Measured)+" share")
		}
	}
	for i := range p.Shares {
		share(p.Shares[i].Name, &p.Shares[i])
	}
	for i := range p.Calls {
		c := &p.Calls[i]
		share(p.Label(c)+" fails", &c.Fails)
		if f := c.Tries; f != nil && f.Requests > 0 {
			b.sample("Amplification"+at+"/hop="+word(p.Label(c)), f.Requests, decimal(f.Measured)+" tries/request")
		}
	}
	for i := range p.Seconds {
		if ok, failed := total(p.Seconds[i].OK), total(p.Seconds[i].Failed); ok+failed > 0 {
			b.sample("Edge"+at, ok+failed, decimal(float64(failed)/float64(ok+failed))+" failures/request")
		}
	}
	if p.Late {
		b.line("# %s: latencies are left out, since requests were sent late", p.Name)
		return
	}
	for i := range p.Seconds {
		b.latency("Latency"+at+"/outcome=ok", p.Seconds[i].OK)
		b.latency("Latency"+at+"/outcome=failed", p.Seconds[i].Failed)
	}
}

// unusable returns why no number of a phase is valid.
func unusable(p *reports.Phase) string {
	if p.GeneratorLimited {
		return "the load generator could not keep its schedule"
	}
	return "pods were replaced during the phase"
}

// latency writes the quantiles of the latencies of one second and one outcome.
func (b *benchmarks) latency(name string, bins []reports.Bin) {
	n := total(bins)
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

func total(bins []reports.Bin) (n int64) {
	for _, bin := range bins {
		n += bin[1]
	}
	return n
}

// decimal returns a value as the format requires it.
func decimal(v float64) string {
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
