package main

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/target/cluster"
)

// Every bad value is reported before the program sends anything to a cluster.
func TestDeployRefusesAServiceType(t *testing.T) {
	for _, value := range []string{"loadbalancer", "ExternalName"} { // of an empty value, as of any flag, see TestUsage
		got := execute(t, "deploy", "--service-type", value, "--wait", "0s", "--kubeconfig", "/nowhere")
		for _, want := range []string{"--service-type " + value + ": must be one of ClusterIP, NodePort, LoadBalancer\n", "--wait 0s: must be a time from 1s to 1h\n"} {
			if got.code != 2 || !strings.Contains(got.stderr, want) {
				t.Errorf("--service-type %q: exit %d and %q, want 2 and %q", value, got.code, got.stderr, want)
			}
		}
	}
}

// deploy prints who can reach the chain.
func TestDeployTellsWhoCanReachTheChain(t *testing.T) {
	for _, each := range cluster.ServiceTypes {
		if !strings.Contains(whoCanReach[each], "of type "+each+": ") {
			t.Errorf("type %s: deploy prints %q", each, whoCanReach[each])
		}
	}
	help := execute(t, "deploy", "--help").stdout
	for _, want := range append([]string{`(default "ClusterIP")`, "public"}, cluster.ServiceTypes...) {
		if !strings.Contains(help, want) {
			t.Errorf("help lacks %q:\n%s", want, help)
		}
	}
}
