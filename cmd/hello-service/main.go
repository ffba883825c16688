// Hello-service is the demo service as a program, for containers: a service of the chain, the clock, or a service for tests that
// answers by a script or sends on what it receives. Only environment variables configure it; -h lists them. The exit status is 0
// after SIGTERM or SIGINT, 1 when it could not listen, serve or finish its tries, and 2 when its configuration is wrong.
package main

import (
	"context"
	"crypto/tls"
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

// program has the times and the limits of the program, so that tests can choose others.
type program struct {
	// notice is how long the program goes on after a signal, while /readyz answers 503, so that callers choose another pod before
	// this one refuses connections.
	notice time.Duration
	// drain is how long the tries may take to end after notice.
	drain time.Duration
	// limits bound what callers can take.
	limits service.Limits
}

// hello is the program as it runs in containers. notice and drain together are less than 30 s, the time after which Kubernetes
// kills a container; drain is longer than the default hang.
var hello = program{notice: 3 * time.Second, drain: 10 * time.Second, limits: service.DefaultLimits}

const usage = `hello-service is a service of the demo chain of hellochaos. It takes no arguments; environment
variables configure it:

  SERVICE_NAME       service and version, such as middleware-canary; a clock needs none
  SERVICE_VERSION    the version, where it has a "-" in it: SERVICE_NAME is then the service alone
  ROLE               what the service does with a request; default chain:
                       chain   it calls its upstream, and answers with the trail: the list of
                               all calls that the request caused
                       clock   it answers with the time, and stands for an external service
                       script  it answers as the header x-hellochaos-script of the request says
                       relay   it sends on whatever it receives, word for word, to the Host of
                               the request, so that the sidecar of this pod handles it like a
                               request of the pod itself; it does not count such requests
  UPSTREAM_URI       URL that a chain calls for each request, such as http://backend/; the probes
                     of a relay connect to the host of this URL, by default to 192.0.2.1
  UPSTREAM_EXTERNAL  true if the upstream is not a service of the chain: it then gets no headers
                     but those of tracing; default false
  CALLS              all calls of a chain, in place of UPSTREAM_URI: a JSON array of steps, which
                     are made one after another. A step is an array of calls, which are made at
                     the same time. [] makes no call. Example:
                     [[{"url": "http://a/"}, {"url": "http://b/", "method": "POST", "body": "x"}],
                      [{"url": "http://c/", "external": true}]]
  FORWARD_HEADERS    names of headers, joined by commas, that a chain passes on to the services of
                     the chain, in addition to those that it always passes on
  FAIL_PROBABILITY   probability in [0,1] that a chain fails a try; it replaces the probability
                     that the header fail of a request asks for
  HANG_PROBABILITY   probability in [0,1] that a chain hangs; it replaces that of the header hang
  WORK_DURATION      how long a try that does not fail works before it calls; default 0s
  HANG_DURATION      how long a try that hangs waits; default 3s
  POD_NAME           name of the pod, which is in the trail of a chain; default: the host's name if
                     there is the next variable
  KUBERNETES_SERVICE_HOST
                     set by Kubernetes in each of its containers
  PORT               TCP port to listen on; 0 takes any free one; default 3000
  ADMIN_PORT         a second TCP port at which the service answers the same, for programs that
                     must reach it past the sidecar of its pod; default none
  TLS_PORT           a TCP port at which the service answers the same with TLS, by a certificate
                     that it signs itself, for tests of TLS that a proxy opens; default none
  TLS_FILES          a folder with the certificate of TLS_PORT in place of that one (tls.crt and
                     tls.key), and the issuer of clients' certificates (ca.crt); default none

The service also answers /metrics, /healthz and /readyz. A chain and a relay answer
/probe/PATH?host=NAME.hellochaos.invalid: they send GET /PATH with that Host as they send their
own calls, wait for 2 s at most, and answer with the status, the body and the error in JSON.

The service limits what a caller can take, and closes the connection of a caller beyond a limit:
the first line and the headers of a request have at most 8 KiB (or the answer is 431) and must
come within 10 s, its body within 10 s; the caller must read an answer within 10 s after it was
written; a connection may be idle for at most 65 min, longer than Envoy keeps one. At most
2048 connections are served at once, and more wait until one of them ends. There is no limit
on how long a try takes.

After SIGTERM or SIGINT /readyz answers 503, and the service goes on for 3 s. Then it accepts no
new connection, and ends when its tries have ended; after 10 s more it cuts those that have not.
A second signal ends it at once.
`

func main() { os.Exit(hello.run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

// run serves until ctx ends or a signal comes, and returns the exit status. A second signal ends the process at once.
func (p program) run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	config, ports, err := configure(args, getenv)
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
	if err := p.listen(ctx, config, ports, logger); err != nil {
		logger.Error("ended", "error", err)
		return 1
	}
	logger.Info("ended")
	return 0
}

// port is a TCP port of the program.
type port struct {
	number int
	secure *tls.Config // how it speaks TLS there; nil where it does not
}

// configure reads the environment. Its error joins all problems of the arguments and of the environment.
func configure(args []string, getenv func(string) string) (service.Config, []port, error) {
	flags := flag.NewFlagSet("hello-service", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	problem := flags.Parse(args)
	if errors.Is(problem, flag.ErrHelp) {
		return service.Config{}, nil, problem
	}
	if problem == nil && flags.NArg() > 0 {
		problem = fmt.Errorf("the arguments %q are not accepted: hello-service takes none", flags.Args())
	}
	config, number, err := service.FromEnvironment(getenv)
	config.Pod = podName(getenv, os.Hostname)
	secure, unready := tlsSettings(getenv)
	ports := []port{{number: number}}
	for _, more := range []struct {
		variable string
		secure   *tls.Config
	}{{"ADMIN_PORT", nil}, {"TLS_PORT", secure}} {
		text := getenv(more.variable)
		if text == "" {
			continue
		}
		number, wrong := strconv.ParseUint(text, 10, 16)
		if wrong != nil {
			problem = errors.Join(problem, fmt.Errorf("%s is %q: it must be a whole number in [0, 65535]", more.variable, text))
		}
		ports = append(ports, port{int(number), more.secure})
	}
	return config, ports, errors.Join(problem, unready, err)
}

// tlsSettings is how the program speaks TLS at TLS_PORT; nil without that port. The error says what is wrong with TLS_FILES.
func tlsSettings(getenv func(string) string) (*tls.Config, error) {
	folder, port := getenv("TLS_FILES"), getenv("TLS_PORT")
	switch {
	case folder != "" && port == "":
		return nil, fmt.Errorf("TLS_FILES is %q, and there is no TLS_PORT at which its certificate is shown: set that, too", folder)
	case folder != "":
		return ofFiles(folder)
	case port != "":
		return selfSigned()
	}
	return nil, nil
}

// podName is the name of the pod in which the program runs; "" outside Kubernetes. A container has its pod's name as the name of its host,
// unless the pod's spec says another one, and the variable of the API server in its environment.
func podName(getenv func(string) string, hostname func() (string, error)) string {
	if name := getenv("POD_NAME"); name != "" || getenv("KUBERNETES_SERVICE_HOST") == "" {
		return name
	}
	name, err := hostname()
	if err != nil {
		return ""
	}
	return name
}

// listen serves config on ports, of which there is at least one, until ctx ends.
func (p program) listen(ctx context.Context, config service.Config, ports []port, logger *slog.Logger) error {
	handler, err := service.New(config)
	if err != nil {
		return err
	}
	defer handler.Close()
	server := p.limits.Server(handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelWarn)
	var listeners []net.Listener
	for _, port := range ports {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(port.number))
		if err != nil {
			return err // the process ends, and with it the listeners before this one
		}
		logger.Info("serving", "address", listener.Addr().String(), "role", config.Role, "upstream", config.Upstream)
		listener = p.limits.Listener(listener)
		if port.secure != nil {
			listener = tls.NewListener(listener, port.secure)
		}
		listeners = append(listeners, listener)
	}
	return p.serve(ctx, server, listeners, handler.Drain)
}

// serve answers on listeners until ctx ends. Then it calls unready, goes on for p.notice, stops accepting connections, and waits for
// the tries that have begun; after p.drain it cuts those that have not ended.
func (p program) serve(ctx context.Context, server *http.Server, listeners []net.Listener, unready func()) error {
	served := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() {
			served <- fmt.Errorf("serving on %v: %w", listener.Addr(), server.Serve(listener))
		}()
	}
	over := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		unready()
		time.AfterFunc(p.notice, func() { close(over) })
	})()
	select {
	case err := <-served:
		return err
	case <-over:
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.drain)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		err = fmt.Errorf("some tries did not end in %v and were cut: %w", p.drain, errors.Join(err, server.Close()))
	}
	for range listeners {
		<-served
	}
	return err
}
