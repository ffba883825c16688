package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/hellochaos/hellochaos/live"
	livepage "github.com/hellochaos/hellochaos/live/page"
)

// usualPort is where the page is, unless the user asks for another port or somebody else listens there.
const usualPort = 8080

// firstFail is the probability with which the page begins that a try fails: so often that retries are seen.
const firstFail = 0.3

// pageFlags are the flags of the page of up.
type pageFlags struct {
	port string
	seed string
	open bool
	log  bool
}

func (f *pageFlags) add(set *pflag.FlagSet) {
	set.StringVar(&f.port, "port", "", "`number` of the page's port on 127.0.0.1; requests enter at the port behind it\n(default: 8080, or a free one where that is taken)")
	set.StringVar(&f.seed, "seed", "", "`number` that makes every draw reproducible (default: by chance; the page shows it)")
	set.BoolVar(&f.log, "log", false, "print a line for each request that you send: its status, its time, and the tries of each\nservice")
	set.BoolVar(&f.open, "open", false, "open the page in the browser")
}

// check says what is wrong with the flags' values.
func (f *pageFlags) check() error {
	var problems []error
	if n, err := strconv.Atoi(f.port); f.port != "" && (err != nil || n < 1 || n > 65534) {
		problems = append(problems, fmt.Errorf("--port %s: must be a whole number from 1 to 65534", f.port))
	}
	if n, err := strconv.ParseUint(f.seed, 10, 64); f.seed != "" && (err != nil || n == 0) {
		problems = append(problems, fmt.Errorf("--seed %s: must be a whole number from 1 to 18446744073709551615", f.seed))
	}
	return errors.Join(problems...)
}

// listen opens the port of the page: the one that was asked for, or else the usual one, or a free one. Where one was asked for, it opens the port
// behind it too, at which requests enter; entry is nil otherwise.
func (f *pageFlags) listen(ctx context.Context) (page, entry net.Listener, err error) {
	if f.port == "" {
		page, err = listenUsual(ctx)
		return page, nil, err
	}
	port, _ := strconv.Atoi(f.port) // check has refused what is no number
	if page, err = listenOn(ctx, port); err != nil {
		return nil, nil, fmt.Errorf("--port %s: %w; choose another one, or leave --port out for a free one", f.port, err)
	}
	if entry, err = listenOn(ctx, port+1); err != nil {
		page.Close()
		return nil, nil, fmt.Errorf("--port %s: the port behind it, at which requests enter: %w; choose another one", f.port, err)
	}
	return page, entry, nil
}

// listenOn opens a port of 127.0.0.1; 0: a free one.
func listenOn(ctx context.Context, port int) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// listenUsual opens the usual port of a page, or a free one where that is taken.
func listenUsual(ctx context.Context) (net.Listener, error) {
	listener, err := listenOn(ctx, usualPort)
	if err != nil {
		return listenOn(ctx, 0)
	}
	return listener, nil
}

// serve runs a session and its page until the command's context ends. It prints where the page is, and then addresses, which are told the fixed
// address of the entry; empty: there is none.
func (f *pageFlags) serve(cmd *cobra.Command, o live.Options, addresses func(s *live.Session, entry string) (string, error)) error {
	ctx := cmd.Context()
	if err := protect(ctx); err != nil {
		return err
	}
	page, entry, err := f.listen(ctx)
	if err != nil {
		return failure{err}
	}
	defer page.Close()
	if entry != nil {
		defer entry.Close()
		o.Entry = entry.Addr().String()
	}
	o.Controls.Fail = firstFail
	o.Seed, _ = strconv.ParseUint(f.seed, 10, 64) // check has refused what is no number; 0 without one
	if f.log {
		o.Log = cmd.OutOrStdout()
	}
	session, err := live.New(ctx, o)
	if err != nil {
		return failure{fmt.Errorf("starting the services: %w", err)}
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = session.Close(closing) // the process ends now, and what the mesh holds ends with it
	}()
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error { session.Run(running); return nil })
	group.Go(func() error { return livepage.Serve(running, page, session) })
	if entry != nil {
		group.Go(func() error { return forward(running, entry, session.Address) })
	}
	group.Go(func() error { return f.tell(cmd, session, page, entry, addresses) })
	if err := group.Wait(); err != nil {
		return failure{err}
	}
	return nil
}

// tell prints the addresses, and opens the page where the user wants that.
func (f *pageFlags) tell(cmd *cobra.Command, session *live.Session, page, entry net.Listener, addresses func(s *live.Session, entry string) (string, error)) error {
	fixed := ""
	if entry != nil {
		at, err := session.Address(cmd.Context())
		if err != nil {
			return err
		}
		scheme, _, _ := strings.Cut(at.URL, ":")
		fixed = scheme + "://" + entry.Addr().String()
	}
	text, err := addresses(session, fixed)
	if err != nil {
		return err
	}
	url := "http://" + page.Addr().String() + "/"
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "page      %s\n\n%s", url, text); err != nil { // without the addresses the user cannot reach the services
		return err
	}
	if f.open {
		if err := browse(url); err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: no browser was opened: %v\n", err)
		}
	}
	return nil
}
