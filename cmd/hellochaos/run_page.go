package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hellochaos/hellochaos/live"
	livepage "github.com/hellochaos/hellochaos/live/page"
	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/target/mesh"
)

// runPage is the page of a run. It is nil for a run without --page.
type runPage struct {
	following *live.Following
	ended     chan error
}

// checkPage refuses --page where it cannot show what is run.
func (f *runFlags) checkPage(grid bool) error {
	if f.page && grid {
		return errors.New("--page: shows one run, and several values of a flag are a grid of runs: give each flag one value, or leave --page out")
	}
	return nil
}

// servePage serves the page of the only run of the command line, from before its target is started.
func (f *runFlags) servePage(ctx context.Context, g *grid, stderr io.Writer) (*runPage, error) {
	if !f.page {
		return nil, nil
	}
	listener, err := listenUsual(ctx)
	if err != nil {
		return nil, fmt.Errorf("--page: %w", err)
	}
	point := &g.points[0]
	p := &runPage{following: live.Follow(point.plan, sameNumbers(point.changed.commandLine(), g.seed)), ended: make(chan error, 1)}
	point.plan.Subscribe(p.following.Handle)
	if f.target == "mesh" {
		p.following.TellsTries()
	}
	go func() { p.ended <- livepage.Show(context.WithoutCancel(ctx), listener, p.following) }()
	fmt.Fprintf(stderr, "page of the run: http://%s/\n", listener.Addr())
	return p, nil
}

// sameNumbers is the command that gives the numbers of the page again: the command line with its seed, and without the page.
func sameNumbers(words []string, seed uint64) string {
	var line []string
	seeded := false
	for _, word := range words {
		if strings.HasPrefix(word, "--page") {
			continue
		}
		seeded = seeded || word == "--seed" || strings.HasPrefix(word, "--seed=")
		line = append(line, printable.Word(word))
	}
	if !seeded {
		line = append(line, fmt.Sprintf("--seed %d", seed))
	}
	return strings.Join(line, " ")
}

// tries is what the embedded mesh tells of tries; nil without a page.
func (p *runPage) tries() func(*mesh.Try) {
	if p == nil {
		return nil
	}
	return p.following.Try
}

// close ends the page, which waits a moment until the browsers that show it know what came of the run.
func (p *runPage) close(stderr io.Writer) {
	if p == nil {
		return
	}
	p.following.End()
	if err := <-p.ended; err != nil {
		fmt.Fprintf(stderr, "hellochaos: %v\n", err)
	}
}
