package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/openfiles"
	"github.com/hellochaos/hellochaos/reports/destination"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/reports/render"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// attackFlags are the flags of the command attack that package attack does not define.
type attackFlags struct {
	loadDelivery
	cluster                          *cluster.Flags
	pace                             *attack.Flags
	targets, method, body, weights   string
	cacert, cert, key, recording     string
	headers, expect, resolve         []string
	insecure, yes, noProgress, given bool // given: --method was
	fresh, http2, abort              bool
	capacity                         string
	local                            int
	remote                           cluster.Options // of --workers-on-cluster
}

// publicRate is the highest rate, in requests a second, at which a public address is attacked without --yes.
const publicRate = 1000

// otherFiles are the files and sockets that the program needs beside the connections of an attack.
const otherFiles = 64

func (f *attackFlags) add(set *pflag.FlagSet) {
	f.pace = attack.AddLoadFlags(set)
	set.StringVar(&f.targets, "targets", "", "`file` with the requests to send, in one of vegeta's formats (http or json), or - (standard input)")
	set.StringVar(&f.weights, "weights", "", "`numbers` that say how often each target is used, in the order of --targets, such as 3,1 (default: all alike)")
	set.StringVarP(&f.method, "method", "X", "GET", "`method` of the requests to the URL")
	set.StringArrayVarP(&f.headers, "header", "H", nil, "`header` of each request, such as 'Accept: text/html'; the flag can be repeated")
	set.StringVar(&f.body, "body", "", "`file` with the body of the requests that have none of their own")
	set.StringArrayVar(&f.expect, "expect", nil, "`expectation` that decides the exit code, such as '"+strings.Join(gauge.Forms, "', '")+"'; the flag can be repeated (docs/attack.md)")
	set.StringVar(&f.capacity, "capacity", "", "search between two `rates`, such as 100..5000, for the highest one at which the expectations hold")
	set.IntVar(&f.local, "workers-local", 0, "`number` of processes that share the requests, for a machine with many processors (default: this one alone)")
	f.cluster = cluster.AddFlags(set)
	f.cluster.AddWorkersFlags(set)
	set.BoolVar(&f.abort, "abort-on-fail", false, "end the attack as soon as an expectation about latency or errors cannot be met any more")
	set.BoolVar(&f.insecure, "insecure", false, "accept any certificate of a server")
	set.StringVar(&f.cacert, "cacert", "", "`file` with the certificates of the authorities to trust, in place of the system's")
	set.StringVar(&f.cert, "cert", "", "`file` with the certificate of the requests, in PEM form, for a server that asks for one")
	set.StringVar(&f.key, "key", "", "`file` with the private key of --cert")
	set.StringArrayVar(&f.resolve, "resolve", nil, "`address` to connect to for a host and port, such as shop.example:443:127.0.0.1; the flag can be repeated")
	set.BoolVar(&f.fresh, "fresh-connections", false, "open a connection for each request")
	set.BoolVar(&f.http2, "http2", false, "send the requests by HTTP/2: over TLS, or to http:// as h2c without asking before")
	set.StringVar(&f.recording, "output", "", "`file` to write the result of each request into, for vegeta report and hellochaos report: as JSON or CSV where its name ends in .json or .csv, else in vegeta's gob")
	set.BoolVar(&f.yes, "yes", false, fmt.Sprintf("send more than %d requests a second also to a public address", publicRate))
	set.BoolVar(&f.noProgress, "no-progress", false, "do not print a line of progress on a terminal")
	f.loadDelivery.add(set)
}

func attackCommand() *cobra.Command {
	flags := &attackFlags{}
	cmd := &cobra.Command{
		Use:         "attack URL|--targets FILE",
		Annotations: map[string]string{readsOthers: ""},
		Short:       "send load to an address, and measure it honestly",
		Long: `Send requests to a URL, or to the targets of a file, at a steady rate, and print
how fast and how well they were answered.

Latencies count from the planned start of each request, so that a server that
stands still is not spared the requests that wait meanwhile (coordinated
omission). A server that answers slower does not slow the attack down. Where
this program itself did not keep its schedule, the report says so, and no
verdict about latencies follows.

With --expect, the exit code says whether the expectations are met: 0 they are,
1 one is not, 3 the data cannot tell. Without any, it is 0 if there was an
answer. An interrupted attack (exit code 4) prints what it has measured so far.`,
		Example: `  hellochaos attack http://localhost:8080/
  hellochaos attack http://localhost:8080/ --rate 2000/s --expect 'p99 <= 250ms'
  hellochaos attack http://localhost/ -X POST -H 'X-A: b' --body order.json
  hellochaos attack --targets targets.txt --weights 9,1 --output r.bin
  hellochaos report r.bin`,
	}
	flags.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return flags.run(cmd, args) }
	return cmd
}

// run validates the command line, sends the attack and delivers its report.
func (f *attackFlags) run(cmd *cobra.Command, args []string) (wrong error) {
	from, to, unread := f.searchRange(cmd)
	a, err := f.plan(cmd, args)
	if err := errors.Join(unread, err); err != nil {
		return fmt.Errorf("attack:\n%w", err)
	}
	if err := f.prepare(); err != nil {
		return err
	}
	if f.remote.Workers == 0 { // else the workers look
		if err := f.reach(cmd.Context(), a, to); err != nil {
			return err
		}
	}
	several, err := f.workers(cmd.Context(), a)
	if err != nil {
		return err
	}
	defer func() { wrong = errors.Join(wrong, several.end(cmd.Context())) }()
	if several != nil && (from > 0 || f.recording != "" || a.Scoped()) {
		o := a.Options()
		several.each(&o)
		if a, err = gauge.Plan(o); err != nil {
			return fmt.Errorf("attack:\n%w", err)
		}
	}
	if from > 0 {
		return f.search(cmd, args, a, from, to)
	}
	var recorder *attack.Recorder
	keep := func(*attack.Observation) error { return nil }
	if f.recording != "" {
		if recorder, err = attack.NewRecorder(f.recording); err != nil {
			return fmt.Errorf("--output %s: the file cannot be made: %w", f.recording, err)
		}
		keep = several.recording(recorder, &a.Plan)
	}
	if several == nil { // else it is protected already
		if err := protect(cmd.Context()); err != nil {
			return err
		}
	}
	stderr := cmd.ErrOrStderr()
	fmt.Fprintf(stderr, "attacking %s: %s\n", f.about(args), schedule(a))
	line := newProgressLine(stderr, f.noProgress)
	var report *load.Report
	if several != nil && recorder == nil && !a.Scoped() {
		report, err = several.merge(cmd.Context(), a, line.attack)
	} else {
		report, err = a.Send(cmd.Context(), keep, line.attack)
	}
	if recorder != nil {
		if unflushed := recorder.Close(); err == nil {
			err = unflushed
		}
	}
	line.clear()
	if report == nil || errors.As(err, new(share.NotStarted)) {
		return failure{err}
	}
	if err != nil {
		err = fmt.Errorf("--output %s: %w", f.recording, err)
	}
	report.Version, report.Command = version(), withoutValues(commandLine())
	unprotect(cmd.Context())
	if err := errors.Join(err, f.deliver(cmd.OutOrStdout(), stderr, report)); err != nil {
		return failure{err}
	}
	return exitWith(report.ExitCode(), false, stderr, nil)
}

// withoutValues are the words of a command line without the values of headers, which may be secrets.
func withoutValues(words []string) []string {
	header := false
	for i, word := range words {
		if strings.HasPrefix(word, "-header") { // vegeta's spelling
			word = "-" + word
		}
		_, joined, ok := strings.Cut(word, "--header=")
		switch {
		case header:
			words[i], header = nameOf(word), false
		case ok:
			words[i] = "--header=" + nameOf(joined)
		case word == "--header":
			header = true
		case strings.HasPrefix(word, "-H"):
			if header = word == "-H"; !header {
				words[i] = "-H" + nameOf(word[2:])
			}
		}
	}
	return words
}

// nameOf is a header without its value.
func nameOf(header string) string {
	name, _, _ := strings.Cut(header, ":")
	return name + ": …"
}

// schedule says when an attack sends.
func schedule(a *gauge.Attack) string {
	switch p := &a.Plan; {
	case p.Closed > 0:
		return fmt.Sprintf("a closed loop of %d requests in flight, for %v at most", p.Connections, p.Closed)
	case len(p.Phases) > 1:
		return fmt.Sprintf("%s requests in %d phases, in about %v", render.Count(int64(p.Requests)), len(p.Phases), planned(p))
	default:
		return fmt.Sprintf("%s requests at %.6g/s, in about %v", render.Count(int64(p.Requests)), p.Rate, planned(p))
	}
}

// planned is how long a plan sends, in whole seconds from one second on.
func planned(p *attack.Plan) time.Duration {
	took := time.Duration(float64(p.Requests) / p.Rate * float64(time.Second))
	if took > time.Second {
		return took.Round(time.Second)
	}
	return took.Round(time.Millisecond)
}

// attack shows how far an attack has come.
func (l *progressLine) attack(p gauge.Progress) {
	if l.terminal != nil && time.Since(l.last) >= 100*time.Millisecond {
		if p.Planned == 0 {
			l.print(fmt.Sprintf("%d requests answered, %d of them failed", p.Done, p.Failed))
			return
		}
		l.print(fmt.Sprintf("%d/%d requests answered, %d of them failed", p.Done, p.Planned, p.Failed))
	}
}

// about says what is attacked.
func (f *attackFlags) about(args []string) string {
	if f.targets == "-" {
		return "the targets of " + stdinName
	}
	if f.targets != "" {
		return "the targets of " + f.targets
	}
	return destination.HideUserInfo(args[0])
}

// plan turns the command line into an attack. Its error lists all problems of the command line.
func (f *attackFlags) plan(cmd *cobra.Command, args []string) (*gauge.Attack, error) {
	f.given = cmd.Flags().Changed("method")
	var o gauge.Options
	var problems [12]error
	pace, err := f.pace.Pace()
	problems[0] = err
	o.Options, o.Phases, o.Closed, o.Seed = pace.Options, pace.Phases, pace.Closed, pace.Seed
	o.Targets, problems[1] = f.requests(cmd, args)
	o.Weights, problems[2] = f.readWeights()
	o.TLS, problems[3] = attack.Trust(f.insecure, f.cacert, f.cert, f.key)
	o.Expect, problems[4] = gauge.Expectations(f.expect)
	problems[5] = f.check()
	o.MostConnections, problems[6] = mostConnections(o.Connections)
	o.Resolve, problems[7] = attack.Resolve(f.resolve)
	if o.Fresh, o.HTTP2 = f.fresh, f.http2; f.fresh && f.http2 {
		problems[8] = errors.New("--fresh-connections and --http2: requests of HTTP/2 share connections")
	}
	if o.Abort = f.abort; f.abort && len(f.expect) == 0 {
		problems[9] = errors.New("--abort-on-fail: needs an expectation, such as --expect 'errors <= 1%'")
	}
	problems[10], problems[11] = f.checkWorkers(cmd), foreign(cmd)
	if f.recording == "-" || f.recording == "stdout" { // vegeta's name of it
		problems[11] = errors.Join(problems[11], fmt.Errorf("--output %s: must be a file, since standard output has the report: hellochaos attack needs no report command behind it", f.recording))
	}
	if err := errors.Join(problems[:]...); err != nil {
		return nil, err
	}
	return gauge.Plan(o)
}

// mostConnections is how many connections this process may have open, as far as that is known. The error is for a wish of more.
func mostConnections(wanted int) (int, error) {
	allowed, known := openfiles.Allowed()
	if !known || allowed >= attack.MaxConnections+otherFiles {
		return attack.MaxConnections, nil
	}
	if err := openfiles.Check(uint64(wanted) + otherFiles); err != nil {
		return 0, fmt.Errorf("--connections %d: %w", wanted, err)
	}
	return int(max(allowed, otherFiles+1) - otherFiles), nil
}

// reach refuses hosts that cannot be reached, before a request is sent, and a high rate to a public address; searched is the highest rate of a
// search.
func (f *attackFlags) reach(ctx context.Context, a *gauge.Attack, searched float64) error {
	public, err := attack.Reach(ctx, &a.Plan)
	if err != nil {
		return failure{fmt.Errorf("%w\nnothing was sent", err)}
	}
	return f.agreed(public, max(a.Peak(), searched))
}

// agreed refuses a high rate to public addresses without --yes.
func (f *attackFlags) agreed(public []string, rate float64) error {
	if len(public) == 0 || rate <= publicRate || f.yes {
		return nil
	}
	return fmt.Errorf("--rate: %g requests a second to %s, which is a public address: more than %d are sent there only with --yes", rate, public[0], publicRate)
}
