//go:build e2e && unix

// The Makefile's targets on the cluster of KUBECONFIG, whose nodes have the image hello-service:latest.
package hellochaos_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// clusterNamespace is what these tests make and delete again.
const clusterNamespace = "makefile-e2e"

// onCluster runs a program in the repository and returns what it printed and its status.
func onCluster(t *testing.T, program string, args ...string) (said string, status int) {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("%s %q: %v", program, args, err)
	}
	if failed != nil {
		status = failed.ExitCode()
	}
	return string(output), status
}

// must is onCluster for what must succeed.
func must(t *testing.T, program string, args ...string) string {
	t.Helper()
	said, status := onCluster(t, program, args...)
	if status != 0 {
		t.Fatalf("%s %q: status %d\n%s", program, args, status, said)
	}
	return said
}

// mustMake makes a target for the tests' namespace.
func mustMake(t *testing.T, target string) string {
	t.Helper()
	return must(t, "make", target, "NAMESPACE="+clusterNamespace, "IMAGE=hello-service:latest")
}

func requireCluster(t *testing.T) {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is empty: it must name the cluster to test on")
	}
}

// The tutorial from the namespace's label to stage canary.
func TestTutorialOnCluster(t *testing.T) {
	requireCluster(t)
	must(t, "kubectl", "create", "namespace", clusterNamespace)
	defer func() { must(t, "kubectl", "delete", "namespace", clusterNamespace, "--timeout=180s") }()

	for _, c := range []struct{ target, want string }{
		{"enable-istio-auto-inject-sidecar", "enabled"},
		{"disable-istio-auto-inject-sidecar", "disabled"},
		{"enable-istio-auto-inject-sidecar", "enabled"},
	} {
		mustMake(t, c.target)
		if got := must(t, "kubectl", "get", "namespace", clusterNamespace, "-o", `jsonpath={.metadata.labels.istio-injection}`); got != c.want {
			t.Errorf("after %s the label is %q, want %q", c.target, got, c.want)
		}
	}

	mustMake(t, "deploy-application")
	checkApplication(t, mustMake(t, "get-application"), "frontend")
	for _, name := range []string{"egress", "prod", "retry", "ingress", "canary"} {
		if said, status := differences(t, name); status != 1 {
			t.Errorf("before %s kubectl diff ends with %d, want 1: there is nothing to apply\n%s", name, status, said)
		}
		mustMake(t, name)
		if said, status := differences(t, name); status != 0 {
			t.Errorf("after %s kubectl diff ends with %d:\n%s", name, status, said)
		}
	}
	if got := must(t, "kubectl", "-n", clusterNamespace, "get", "service", "frontend", "-o", "jsonpath={.spec.type}"); got != "ClusterIP" {
		t.Errorf("after stage ingress the frontend is a %s, want ClusterIP", got)
	}
	checkApplication(t, mustMake(t, "get-application"), "istio-ingressgateway")
}

// differences is kubectl's comparison of a stage's YAML with the cluster: status 0 for none, 1 for some.
func differences(t *testing.T, stage string) (said string, status int) {
	t.Helper()
	return onCluster(t, "bash", "-c", fmt.Sprintf("set -o pipefail; bin/hellochaos manifests %s | kubectl -n %s diff -f -", stage, clusterNamespace))
}

// checkApplication checks what get-application says of four running pods, each with its sidecar, and of the way in by a
// service: an address that a load balancer has, or how to forward a port.
func checkApplication(t *testing.T, said, service string) {
	t.Helper()
	for _, pod := range []string{"frontend-prod-", "middleware-prod-", "middleware-canary-", "backend-prod-"} {
		line := ""
		for l := range strings.Lines(said) {
			if strings.HasPrefix(l, "pod/"+pod) {
				line = l
			}
		}
		if fields := strings.Fields(line); len(fields) < 3 || fields[1] != "2/2" || fields[2] != "Running" {
			t.Errorf("%s is %q, want 2/2 Running", pod, strings.TrimSpace(line))
		}
	}
	if !strings.Contains(said, "address: http://") && !strings.Contains(said, "The address is then http://") {
		t.Errorf("no address:\n%s", said)
	}
	namespace := clusterNamespace
	if service == "istio-ingressgateway" {
		namespace = "istio-system"
	}
	address := must(t, "kubectl", "-n", namespace, "get", "service", service, "-o", "jsonpath={.status.loadBalancer.ingress[*]['ip','hostname']}")
	want := "-n " + namespace + " port-forward service/" + service + " 8080:80"
	if address != "" {
		want = "address: http://" + address + "/"
	}
	if !strings.Contains(said, want) {
		t.Errorf("said\n%s\nwant %q", said, want)
	}
}

// Prometheus answers at the printed address until Ctrl-C, and nothing that was started is left then.
func TestMonitoringOnCluster(t *testing.T) {
	requireCluster(t)
	m := monitor(t, exec.Command("make", "start-monitoring-services"), 1)
	m.until(func() bool { return m.addresses()["prometheus"] != "" })
	address := m.addresses()["prometheus"]
	answer, err := http.Get(address + "-/ready")
	if err != nil {
		t.Fatalf("asking Prometheus at %q: %v; said\n%s", address, err, strings.Join(m.said, "\n"))
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s-/ready answers %d, want 200", address, answer.StatusCode)
	}
	session := strconv.Itoa(m.command.Process.Pid)
	if said, _ := onCluster(t, "ps", "-o", "args=", "-s", session); !strings.Contains(said, "port-forward service/prometheus") {
		t.Errorf("while it runs its processes are\n%s\nwant a port-forward among them", said)
	}
	m.signal(syscall.SIGINT)
	m.end()
	if said, _ := onCluster(t, "ps", "-o", "pid=,args=", "-s", session); said != "" {
		t.Errorf("left after Ctrl-C:\n%s", said)
	}
	host := strings.Trim(strings.TrimPrefix(address, "http://"), "/")
	if connection, err := net.Dial("tcp", host); err == nil {
		_ = connection.Close()
		t.Errorf("%s still listens after Ctrl-C", host)
	}
}
