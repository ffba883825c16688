// Hello-service is the demo service as a program of its own, for containers: a hop of the chain, the clock, or a
// service that answers by script or sends on what it receives. It is configured by environment variables alone; -h
// lists them. It ends with status 0 after SIGTERM or SIGINT, 1 when it could not listen, serve or finish its tries, and
// 2 when its configuration is wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hellochaos/hellochaos/service"
)

// program is the program but for its surroundings.
type program struct {
	// notice is how long it goes on after a signal with /readyz at 503, so that callers turn elsewhere before it refuses
	// them.
	notice time.Duration
	// drain is how long tries may take to end after that.
	drain time.Duration
	// limits are what it allows its callers.
	limits service.Limits
}

// hello is the program as it runs in containers. Its times are together less than the 30 s after which Kubernetes
// kills; drain is more than the default hang.
var hello = program{notice: 3 * time.Second, drain: 10 * time.Second, limits: service.DefaultLimits}

const usage = `hello-service is a service of hellochaos' demo chain. It takes no arguments; the environment configures it:

  SERVICE_NAME       service and version, such as middleware-canary; the clock needs none
  ROLE               chain (calls its upstream), clock (tells the time), script (answers as the
                     request's x-hellochaos-script says) or relay (sends on whatever it receives,
                     word for word, as the app of this pod would send it: its sidecar decides by
                     Host; it counts nothing); default chain
  UPSTREAM_URI       what a chain calls for each request, such as http://backend/; whose host a relay's
                     probes connect to, default 192.0.2.1
  UPSTREAM_EXTERNAL  true when the upstream is not ours: it gets trace headers only; default false
  CALLS              all calls of a chain, in place of UPSTREAM_URI: a JSON array of steps, made one
                     after another, each an array of calls, made side by side; [] for none:
                     [[{"url": "http://a/"}, {"url": "http://b/", "method": "POST", "body": "x"}],
                      [{"url": "http://c/", "external": true}]]
  FORWARD_HEADERS    names of headers, joined by commas, that a chain passes on to services of ours
                     beside the usual ones
  FAIL_PROBABILITY   in [0,1], counts in place of what requests ask for (header fail)
  HANG_PROBABILITY   likewise (header hang)
  WORK_DURATION      how long a try that does not fail works before it calls; default 0s
  HANG_DURATION      how long a hanging try waits; default 3s
  PORT               TCP port to listen on, 0 for any free one; default 3000

Besides its requests it answers /metrics, /healthz and /readyz, and as chain or relay
/probe/PATH?host=NAME.hellochaos.invalid: it sends GET /PATH with that Host by its own way out,
for 2 s at most, and answers in JSON what came back: status, body and error.

Callers are held to limits, and their connection is closed beyond them: a request's head has
at most 8 KiB (else 431) and comes within 10 s, its body within 10 s; an answer is taken off
within 10 s after it was written; a connection is idle for at most 65 min, longer than Envoy
keeps one. 2048 connections are served at once, and more wait until one of them ends. How long
a try takes is not limited.

After SIGTERM or SIGINT /readyz is 503 and all else goes on for 3 s; then it takes no new
connection and ends when its tries have, or cuts what is left of them after 10 s more. A second
signal ends it at once.
`

func main() { os.Exit(hello.run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

// run serves until ctx ends or a signal comes, and returns the exit status. A second signal ends the process at once.
func (p program) run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	config, port, err := configure(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(stdout, usage)
		return 0
	}
	if err != nil {
		problems := strings.ReplaceAll(err.Error(), "\n", "\n  ")
		_, _ = fmt.Fprintf(stderr, "hello-service: wrong configuration (-h explains it):\n  %s\n", problems)
		return 2
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil)).With("service", config.Service, "version", config.Version)
	if err := p.listen(ctx, config, port, logger); err != nil {
		logger.Error("ended", "error", err)
		return 1
	}
	logger.Info("ended")
	return 0
}

// configure joins all problems of the arguments and of the environment.
func configure(args []string, getenv func(string) string) (service.Config, int, error) {
	flags := flag.NewFlagSet("hello-service", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	problem := flags.Parse(args)
	if errors.Is(problem, flag.ErrHelp) {
		return service.Config{}, 0, problem
	}
	if problem == nil && flags.NArg() > 0 {
		problem = fmt.Errorf("arguments are %q: want none", flags.Args())
	}
	config, port, err := service.FromEnvironment(getenv)
	return config, port, errors.Join(problem, err)
}

// listen serves config on port until ctx ends.
func (p program) listen(ctx context.Context, config service.Config, port int, logger *slog.Logger) error {
	handler, err := service.New(config)
	if err != nil {
		return err
	}
	defer handler.Close()
	server := p.limits.Server(handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	logger.Info("serving", "address", listener.Addr().String(), "role", config.Role, "upstream", config.Upstream)
	return p.serve(ctx, server, p.limits.Listener(listener), handler.Drain)
}

// serve answers on listener until ctx ends, gives notice by unready, goes on for p.notice, waits for the tries that
// are on their way, and cuts what is left of them after p.drain.
func (p program) serve(ctx context.Context, server *http.Server, listener net.Listener, unready func()) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	over := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		unready()
		time.AfterFunc(p.notice, func() { close(over) })
	})()
	select {
	case err := <-served:
		return fmt.Errorf("serving on %v: %w", listener.Addr(), err)
	case <-over:
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.drain)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		err = fmt.Errorf("tries did not end in %v and were cut: %w", p.drain, errors.Join(err, server.Close()))
	}
	<-served
	return err
}
