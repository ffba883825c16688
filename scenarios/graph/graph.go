// Package graph says who calls whom: the workloads of a set of objects as the stand-ins that run in them read their own
// environment, with the calls that each one makes. It knows the rules of a mesh only as far as they say which workloads
// there are; which of them answers a call, what a call meets, and how often, are others' business.
package graph

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/service"
)

// Graph is the workloads of a set of objects and their calls.
type Graph struct {
	// Workloads are in the order of the rules' workloads.
	Workloads []Workload
}

// Workload is one version of a service: replicas of one stand-in.
type Workload struct {
	*manifests.Workload
	// Service and Version are what the stand-in calls itself in trails and counters.
	Service, Version string
	// Ours: the stand-in obeys fail, hang and pins, and answers with a trail. Others (the clock) answer 200 to everything.
	Ours bool
	// Steps are its calls: steps one after another, the calls of a step side by side.
	Steps [][]Call
	// Forward are the headers, in canonical form, that it passes on beside the usual ones.
	Forward []string
	// Fail and Hang are the version's own probabilities, nil for what a request asks for.
	Fail, Hang *float64
	// HangTime is how long a hanging try waits, and Work how long a try works before it calls.
	HangTime, Work time.Duration
}

// Call is a call that a workload makes.
type Call struct {
	// Number counts the calls of the workload from 0.
	Number int
	// URL is the address as configured; Host and Path are its parts, Path with its query.
	URL, Host, Path string
	Method          string
	// External: the called service is not ours, as the caller was told: no trail of it is read.
	External bool
}

// Read reads the environment of every workload. The error joins all problems, each with its Deployment.
func Read(rules *manifests.Rules) (*Graph, error) {
	g := &Graph{}
	var problems []error
	for i := range rules.Workloads {
		w := &rules.Workloads[i]
		config, _, err := service.FromEnvironment(func(name string) string { return w.Env[name] })
		if err != nil {
			problems = append(problems, fmt.Errorf("the environment of Deployment %s in namespace %s: %w", w.Name, w.Namespace, err))
			continue
		}
		g.Workloads = append(g.Workloads, workload(w, config))
	}
	return g, errors.Join(problems...)
}

func workload(w *manifests.Workload, config service.Config) Workload {
	node := Workload{
		Workload: w, Service: config.Service, Version: config.Version, Ours: config.Role == service.Chain,
		Fail: config.FailProbability, Hang: config.HangProbability, HangTime: config.Hang, Work: config.Work,
	}
	for _, name := range config.Forward {
		node.Forward = append(node.Forward, http.CanonicalHeaderKey(name))
	}
	number := 0
	for _, step := range config.Steps() {
		var calls []Call
		for _, c := range step {
			address, _ := url.Parse(c.URL) // FromEnvironment has read it
			call := Call{Number: number, URL: c.URL, Host: address.Host, Path: address.RequestURI(), Method: c.Method, External: c.External}
			if call.Method == "" {
				call.Method = http.MethodGet
			}
			calls = append(calls, call)
			number++
		}
		node.Steps = append(node.Steps, calls)
	}
	return node
}

// Of is the workload of the graph that runs a workload of the rules; nil when there is none.
func (g *Graph) Of(w *manifests.Workload) *Workload {
	for i := range g.Workloads {
		if g.Workloads[i].Name == w.Name && g.Workloads[i].Namespace == w.Namespace {
			return &g.Workloads[i]
		}
	}
	return nil
}
