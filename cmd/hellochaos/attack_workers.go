package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/gauge"
	"github.com/hellochaos/hellochaos/attack/share"
	"github.com/hellochaos/hellochaos/reports/load"
	"github.com/hellochaos/hellochaos/target/cluster"
)

// mostWorkers is how many processes one machine is asked to run.
const mostWorkers = 64

// checkWorkers refuses what workers cannot do.
func (f *attackFlags) checkWorkers(cmd *cobra.Command) error {
	var problems []error
	set := cmd.Flags()
	if set.Changed("workers-local") && (f.local < 2 || f.local > mostWorkers) {
		problems = append(problems, fmt.Errorf("--workers-local %d: must be a number from 2 to %d", f.local, mostWorkers))
	}
	var err error
	if f.remote, err = f.cluster.Options(); err != nil {
		problems = append(problems, err)
	}
	if !set.Changed("workers-on-cluster") {
		for _, flag := range []string{"kubeconfig", "context", "namespace", "wait"} {
			if set.Changed(flag) {
				text := fmt.Sprintf("--%s: needs --workers-on-cluster", flag)
				if number := set.Lookup(flag).Value.String(); flag == "namespace" && strings.Trim(number, "0123456789") == "" { // as with hey and ab
					text = fmt.Sprintf("-n %s: is the namespace of --workers-on-cluster; the number of requests is --requests %s", number, number)
				}
				problems = append(problems, errors.New(text))
			}
		}
		return errors.Join(problems...)
	}
	for flag, why := range map[string]string{
		"workers-local": "the workers are pods, or processes of this machine",
		"capacity":      "each of its many attacks would start all pods again",
		"key":           "what workers are told is in a ConfigMap, and a private key does not belong there",
	} {
		if set.Changed(flag) {
			problems = append(problems, fmt.Errorf("--%s: is not possible with --workers-on-cluster: %s", flag, why))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// bySeveral is an attack that workers send; nil: this process does.
type bySeveral struct {
	team     *share.Team
	settings *share.TLS
	on       *cluster.Run // nil: on this machine
	closing  time.Duration
}

// workers are those that send the attack.
func (f *attackFlags) workers(ctx context.Context, a *gauge.Attack) (*bySeveral, error) {
	if f.local == 0 && f.remote.Workers == 0 {
		return nil, nil
	}
	settings, err := f.trust()
	if err != nil {
		return nil, failure{err}
	}
	w := &bySeveral{team: &share.Team{Crew: &localCrew{size: f.local}}, settings: settings, closing: f.remote.Wait}
	if f.remote.Workers == 0 {
		return w, protect(ctx)
	}
	c, err := connect(ctx, f.remote, nil)
	if err != nil {
		return nil, failure{err}
	}
	if err := protect(ctx); err != nil {
		return nil, err
	}
	if err := c.MayHaveWorkers(ctx); err != nil {
		return nil, failure{err}
	}
	if w.on, err = c.BeginLoad(ctx); err != nil {
		return nil, failure{fmt.Errorf("the workers could not be started, and nothing was changed:\n%w", err)}
	}
	w.team.Crew = w.on.Crew()
	w.team.Public = func(addresses []string) error { return f.agreed(addresses, a.Peak()) }
	return w, nil
}

// end gives the namespace back.
func (w *bySeveral) end(ctx context.Context) error {
	if w == nil || w.on == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.closing+time.Minute)
	defer cancel()
	if _, err := w.on.Close(ctx); err != nil {
		return fmt.Errorf("not everything was removed: %w", err)
	}
	return nil
}

// recording writes each observation. When the attack began, workers know.
func (w *bySeveral) recording(to *attack.Recorder, plan *attack.Plan) func(*attack.Observation) error {
	if w == nil {
		to.Begin(plan, time.Now())
		return to.Write
	}
	first := true
	return func(o *attack.Observation) error {
		if first {
			to.Begin(plan, w.team.Began())
			first = false
		}
		return to.Write(o)
	}
}

// each has the workers say what became of each request, for what needs to know that.
func (w *bySeveral) each(o *gauge.Options) {
	o.Workers = w.team.Crew.Size()
	o.Run = func(ctx context.Context, plan attack.Plan, observe func(*attack.Observation) bool) (attack.Result, []share.Outcome, error) {
		return w.team.Run(ctx, plan, w.settings, observe)
	}
}

// merge has the workers count, and adds up what they counted.
func (w *bySeveral) merge(ctx context.Context, a *gauge.Attack, tell func(gauge.Progress)) (*load.Report, error) {
	return a.Merge(ctx, w.team, w.settings, tell)
}

// trust has the files of --cacert, --cert and --key, which were read before without an error.
func (f *attackFlags) trust() (*share.TLS, error) {
	t := &share.TLS{Insecure: f.insecure}
	var problems []error
	for _, of := range []struct {
		file string
		text *[]byte
	}{{f.cacert, &t.Authorities}, {f.cert, &t.Certificate}, {f.key, &t.Key}} {
		if of.file != "" {
			var err error
			*of.text, err = os.ReadFile(of.file)
			problems = append(problems, err)
		}
	}
	return t, errors.Join(problems...)
}
