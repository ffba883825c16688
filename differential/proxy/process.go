// Package proxy runs real Envoys, on the loopback interface of this machine and without a cluster, each with what Istio made for one
// caller's proxy.
package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hellochaos/hellochaos/differential/envoy"
)

// startTime is how long an Envoy may take until it answers.
const startTime = 60 * time.Second

// Process is a running Envoy.
type Process struct {
	command *exec.Cmd
	folder  string
	log     bytes.Buffer
	exited  chan struct{} // closed when the process has ended
	gateway bool
	// listeners are the addresses where clients connect, by the name of the listener.
	listeners map[string]string
}

// Start starts an Envoy, the program at path, with the configuration of a proxy, and waits until it takes connections.
func Start(ctx context.Context, path string, p *envoy.Proxy, places Places) (*Process, error) {
	b, err := config(p, places)
	if err != nil {
		return nil, fmt.Errorf("making the configuration of Envoy: %w", err)
	}
	data, err := proto.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("making the configuration of Envoy: %w", err)
	}
	e := &Process{exited: make(chan struct{}), gateway: p.Gateway}
	if e.folder, err = os.MkdirTemp("", "envoy"); err != nil {
		return nil, err
	}
	if err := e.start(ctx, path, data); err != nil {
		e.Close()
		return nil, fmt.Errorf("starting Envoy: %w\n%s", err, e.log.String())
	}
	return e, nil
}

func (e *Process) start(ctx context.Context, path string, config []byte) error {
	file := filepath.Join(e.folder, "envoy.pb")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return err
	}
	admin := filepath.Join(e.folder, "admin")
	e.command = exec.Command(path, "--config-path", file, "--admin-address-path", admin, "--disable-hot-restart", "--concurrency", "1", "--log-level", "error",
		"--drain-time-s", "1")
	e.command.Stdout, e.command.Stderr, e.command.SysProcAttr = &e.log, &e.log, ending()
	if err := e.command.Start(); err != nil {
		return err
	}
	go func() {
		_ = e.command.Wait() // how it ended is said by what it printed
		close(e.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if address, err := os.ReadFile(admin); err == nil && len(address) > 0 && e.ready(ctx, string(address)) {
			return nil
		}
		select {
		case <-e.exited:
			return errors.New("it ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ready reports whether Envoy takes connections, and notes where.
func (e *Process) ready(ctx context.Context, admin string) bool {
	var all struct {
		Statuses []struct {
			Name  string
			Local struct {
				Socket struct {
					Address string
					Port    int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	live, err := get(ctx, "http://"+admin+"/ready")
	if err != nil || !strings.HasPrefix(string(live), "LIVE") {
		return false
	}
	listeners, err := get(ctx, "http://"+admin+"/listeners?format=json")
	if err != nil || json.Unmarshal(listeners, &all) != nil {
		return false
	}
	e.listeners = make(map[string]string)
	for _, l := range all.Statuses {
		e.listeners[l.Name] = fmt.Sprintf("%s:%d", l.Local.Socket.Address, l.Local.Socket.Port)
	}
	return true
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	return body.Bytes(), err
}

// Close ends the process, and waits until it has ended.
func (e *Process) Close() {
	if e.command != nil && e.command.Process != nil {
		_ = e.command.Process.Kill() // after an error it has ended already
		<-e.exited
	}
	_ = os.RemoveAll(e.folder)
}
