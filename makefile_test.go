//go:build unix

// The Makefile's targets, run with programs that only write down how they were called.
package hellochaos_test

import (
	"bufio"
	"cmp"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tutorial is every target of the tutorial, in its order.
var tutorial = []string{"create-cluster", "deploy-istio", "enable-istio-auto-inject-sidecar", "disable-istio-auto-inject-sidecar", "build",
	"image", "push", "deploy-application", "get-application", "start-monitoring-services", "egress", "prod", "retry", "ingress", "canary",
	"deploy-weave-scope", "delete-cluster"}

// sandbox is a folder with the Makefile and a PATH on which every program that a target could call is a recorder.
type sandbox struct {
	t      *testing.T
	folder string
}

// recorder writes one line for a call; what it is given on standard input and the environment of a build belong to it.
const recorder = `#!/bin/sh
line="${0##*/}"
for argument in "$@"; do line="$line $argument"; done
if [ "${0##*/} $1" = "go env" ]; then echo amd64; exit; fi
case "$*" in *" -f -") line="$line <$(cat)>" ;; esac
printf '%s\n' "${CGO_ENABLED:+CGO_ENABLED=$CGO_ENABLED }${GOOS:+GOOS=$GOOS }${GOARCH:+GOARCH=$GOARCH }$line" >>"$RECORD"
`

// newSandbox makes a sandbox in which each named program, besides being recorded, runs a piece of sh.
func newSandbox(t *testing.T, programs map[string]string) *sandbox {
	t.Helper()
	s := &sandbox{t: t, folder: t.TempDir()}
	s.check(os.Mkdir(filepath.Join(s.folder, "path"), 0o755))
	for _, tool := range []string{"make", "bash", "sh", "awk", "grep", "sleep", "cat", "echo"} {
		real, err := exec.LookPath(tool)
		s.check(err)
		s.check(os.Symlink(real, filepath.Join(s.folder, "path", tool)))
	}
	root, err := os.Getwd()
	s.check(err)
	for _, name := range []string{"Makefile", "hack"} {
		s.check(os.Symlink(filepath.Join(root, name), filepath.Join(s.folder, name)))
	}
	for name, body := range programs {
		s.check(os.WriteFile(filepath.Join(s.folder, "path", name), []byte(recorder+body), 0o755))
	}
	s.check(os.Mkdir(filepath.Join(s.folder, "bin"), 0o755))
	s.check(os.WriteFile(filepath.Join(s.folder, "bin", "hellochaos"), []byte(recorder+"echo the YAML of $2\n"), 0o755))
	return s
}

func (s *sandbox) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *sandbox) command(args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(s.folder, "path", "make"), args...)
	command.Dir = s.folder
	command.Env = []string{"PATH=" + filepath.Join(s.folder, "path"), "RECORD=" + filepath.Join(s.folder, "record")}
	return command
}

// make runs make and returns the calls that were recorded, all that was printed, and make's status.
func (s *sandbox) make(args ...string) (calls []string, said string, status int) {
	s.t.Helper()
	output, err := s.command(args...).CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		s.t.Fatal(err)
	}
	if failed != nil {
		status = failed.ExitCode()
	}
	return s.calls(), string(output), status
}

func (s *sandbox) calls() []string {
	record, err := os.ReadFile(filepath.Join(s.folder, "record"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return strings.FieldsFunc(string(record), func(r rune) bool { return r == '\n' })
}

const noDaemon = `[ "$1" != version ] || exit 1` + "\n"

// project answers gcloud's question for the current project.
const project = `[ "$1" != config ] || echo my-project` + "\n"

// static is how the Makefile builds what goes into the image.
const static = "CGO_ENABLED=0 GOOS=linux GOARCH=amd64 go build -trimpath -ldflags -s -w -o bin/linux-amd64/hello-service ./cmd/hello-service"

const (
	addons = "https://raw.githubusercontent.com/istio/istio/1.31.1/samples/addons/"
	zipkin = " --set meshConfig.extensionProviders[0].name=zipkin" +
		" --set meshConfig.extensionProviders[0].zipkin.service=zipkin.istio-system.svc.cluster.local" +
		" --set meshConfig.extensionProviders[0].zipkin.port=9411"
	chart = " --repo https://istio-release.storage.googleapis.com/charts --version 1.31.1 --namespace istio-system --create-namespace --wait --timeout 5m"
)

// addonCalls are what deploy-istio does once Istio is there.
func addonCalls(kubectl string) []string {
	return []string{
		kubectl + " apply -f " + addons + "prometheus.yaml",
		kubectl + " apply -f " + addons + "grafana.yaml",
		kubectl + " apply -f " + addons + "kiali.yaml",
		kubectl + " apply -f " + addons + "extras/zipkin.yaml",
		kubectl + " apply -f hack/tracing.yaml",
		kubectl + " -n istio-system wait --for=condition=Available deployment --all --timeout=5m",
	}
}

func TestMakeCalls(t *testing.T) {
	for _, c := range []struct {
		args     string
		programs map[string]string // besides go
		want     []string
	}{
		{"create-cluster", map[string]string{"gcloud": project}, []string{
			"gcloud config get-value project",
			"gcloud container clusters create hellochaos --project my-project --zone us-west1-b --machine-type e2-standard-2 --num-nodes 3"}},
		{"create-cluster PROJECT=p ZONE=europe-west1-b CLUSTER_NAME=c", map[string]string{"gcloud": ""}, []string{
			"gcloud container clusters create c --project p --zone europe-west1-b --machine-type e2-standard-2 --num-nodes 3"}},
		{"create-cluster CLUSTER=kind", map[string]string{"kind": ""}, []string{"kind create cluster --name hellochaos --wait 120s"}},
		{"delete-cluster PROJECT=p NAMESPACE=demo", map[string]string{"gcloud": "", "kubectl": ""}, []string{
			"kubectl --context gke_p_us-west1-b_hellochaos -n demo delete service frontend --ignore-not-found",
			"kubectl --context gke_p_us-west1-b_hellochaos -n istio-system delete service istio-ingressgateway --ignore-not-found",
			"gcloud container clusters delete hellochaos --project p --zone us-west1-b"}},
		{"delete-cluster PROJECT=p", map[string]string{"gcloud": "", "kubectl": "exit 1\n"}, []string{
			"kubectl --context gke_p_us-west1-b_hellochaos -n default delete service frontend --ignore-not-found",
			"gcloud container clusters delete hellochaos --project p --zone us-west1-b"}},
		{"delete-cluster CLUSTER=kind", map[string]string{"kind": ""}, []string{"kind delete cluster --name hellochaos"}},

		{"deploy-istio", map[string]string{"istioctl": "echo client version: 1.31.1\n", "helm": "", "kubectl": ""}, slices.Concat(
			[]string{"istioctl version --remote=false", "istioctl install -y --set profile=default" + zipkin}, addonCalls("kubectl"))},
		{"deploy-istio CONTEXT=mine", map[string]string{"istioctl": "echo client version: 1.31.1\n", "kubectl": ""}, slices.Concat(
			[]string{"istioctl version --remote=false", "istioctl --context mine install -y --set profile=default" + zipkin},
			addonCalls("kubectl --context mine"))},
		{"deploy-istio", map[string]string{"istioctl": "echo client version: 1.31.10\n", "helm": "", "kubectl": ""}, slices.Concat([]string{
			"istioctl version --remote=false",
			"helm upgrade --install istio-base base" + chart,
			"helm upgrade --install istiod istiod" + chart + zipkin,
			"helm upgrade --install istio-ingressgateway gateway" + chart}, addonCalls("kubectl"))},
		{"deploy-istio CONTEXT=mine", map[string]string{"helm": "", "kubectl": ""}, slices.Concat([]string{
			"helm --kube-context mine upgrade --install istio-base base" + chart,
			"helm --kube-context mine upgrade --install istiod istiod" + chart + zipkin,
			"helm --kube-context mine upgrade --install istio-ingressgateway gateway" + chart}, addonCalls("kubectl --context mine"))},

		{"enable-istio-auto-inject-sidecar", map[string]string{"kubectl": ""}, []string{
			"kubectl label namespace default istio-injection=enabled --overwrite"}},
		{"disable-istio-auto-inject-sidecar NAMESPACE=demo CONTEXT=mine", map[string]string{"kubectl": ""}, []string{
			"kubectl --context mine label namespace demo istio-injection=disabled --overwrite"}},

		{"build", nil, []string{
			"go build -ldflags -s -w -o bin/hellochaos ./cmd/hellochaos", "go build -ldflags -s -w -o bin/hello-service ./cmd/hello-service", static}},
		{"image", map[string]string{"gcloud": project, "docker": noDaemon}, []string{static,
			"gcloud config get-value project", "docker version",
			"go run ./cmd/hello-image --binary bin/linux-amd64/hello-service --image gcr.io/my-project/hello-service:latest --output bin/hello-service.tar"}},
		{"image IMAGE=demo:v1", nil, []string{static, "go run ./cmd/hello-image --binary bin/linux-amd64/hello-service --image demo:v1 --output bin/hello-service.tar"}},
		{"image IMAGE=demo:v1", map[string]string{"docker": ""}, []string{static, "docker version",
			"docker build --platform linux/amd64 --build-arg BINARY=bin/linux-amd64/hello-service --tag demo:v1 .",
			"docker save --output bin/hello-service.tar demo:v1"}},
		{"push IMAGE=gcr.io/p/demo:v1", map[string]string{"docker": "", "gcloud": ""}, []string{static, "docker version",
			"docker build --platform linux/amd64 --build-arg BINARY=bin/linux-amd64/hello-service --tag gcr.io/p/demo:v1 .",
			"docker save --output bin/hello-service.tar gcr.io/p/demo:v1",
			"gcloud auth configure-docker gcr.io --quiet", "docker version", "docker push gcr.io/p/demo:v1"}},
		{"push IMAGE=localhost:5000/demo:v1", map[string]string{"docker": noDaemon}, []string{static, "docker version",
			"go run ./cmd/hello-image --binary bin/linux-amd64/hello-service --image localhost:5000/demo:v1 --output bin/hello-service.tar",
			"docker version", "go run ./cmd/hello-image --binary bin/linux-amd64/hello-service --image localhost:5000/demo:v1 --push"}},
		{"push CLUSTER=kind", map[string]string{"kind": ""}, []string{static,
			"go run ./cmd/hello-image --binary bin/linux-amd64/hello-service --image hello-service:latest --output bin/hello-service.tar",
			"kind load image-archive bin/hello-service.tar --name hellochaos"}},

		{"deploy-application PROJECT=p", nil, []string{"go build -ldflags -s -w -o bin/hellochaos ./cmd/hellochaos",
			"hellochaos deploy --image gcr.io/p/hello-service:latest --service-type LoadBalancer -n default"}},
		{"deploy-application IMAGE=demo:v1 NAMESPACE=demo CONTEXT=mine", nil, []string{"go build -ldflags -s -w -o bin/hellochaos ./cmd/hellochaos",
			"hellochaos deploy --image demo:v1 --service-type LoadBalancer -n demo --context mine"}},
		{"egress NAMESPACE=demo CONTEXT=mine", map[string]string{"kubectl": ""}, stage("egress", "kubectl --context mine apply -n demo")},
		{"prod", map[string]string{"kubectl": ""}, stage("prod", "kubectl apply -n default")},
		{"retry", map[string]string{"kubectl": ""}, stage("retry", "kubectl apply -n default")},
		{"ingress", map[string]string{"kubectl": ""}, stage("ingress", "kubectl apply -n default")},
		{"canary", map[string]string{"kubectl": ""}, stage("canary", "kubectl apply -n default")},
		{"deploy-weave-scope", map[string]string{"kubectl": ""}, []string{
			"kubectl apply -f https://github.com/weaveworks/scope/releases/download/v1.13.2/k8s-scope.yaml"}},
	} {
		t.Run(c.args, func(t *testing.T) {
			programs := map[string]string{"go": ""}
			for name, body := range c.programs {
				programs[name] = body
			}
			calls, said, status := newSandbox(t, programs).make(strings.Fields(c.args)...)
			if status != 0 {
				t.Errorf("status %d:\n%s", status, said)
			}
			if got, want := strings.Join(calls, "\n"), strings.Join(c.want, "\n"); got != want {
				t.Errorf("calls\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// stage is how a stage is applied.
func stage(name, apply string) []string {
	return []string{"go build -ldflags -s -w -o bin/hellochaos ./cmd/hellochaos", "hellochaos manifests " + name, apply + " -f - <the YAML of " + name + ">"}
}

// What can't be done is refused before anything is done, and says what to do.
func TestMakeRefuses(t *testing.T) {
	for _, c := range []struct {
		args     string
		programs map[string]string
		want     string
		calls    int
	}{
		{"create-cluster PROJECT=", map[string]string{"gcloud": ""}, "PROJECT is empty: type 'make create-cluster PROJECT=...' with your project's id", 0},
		{"delete-cluster PROJECT=", map[string]string{"gcloud": "", "kubectl": ""}, "PROJECT is empty", 0},
		{"create-cluster CLUSTER=eks", map[string]string{"gcloud": ""}, "CLUSTER is 'eks': it must be gke or kind", 1}, // asks for the project
		{"delete-cluster CLUSTER=eks", map[string]string{"gcloud": ""}, "CLUSTER is 'eks': it must be gke or kind", 1},
		{"deploy-istio", map[string]string{"kubectl": ""}, "Neither istioctl of version 1.31.1 nor helm is on the PATH", 0},
		{"push IMAGE=demo:v1", map[string]string{"docker": ""}, "IMAGE is 'demo:v1', which names no registry", 4}, // builds and packs
		{"start-monitoring-services", map[string]string{"kubectl": "echo reviews\n"}, "has no service prometheus, grafana, kiali, tracing or zipkin", 1},
		{"start-monitoring-services", map[string]string{"kubectl": "echo no cluster >&2; exit 1\n"}, "no cluster", 1},
	} {
		t.Run(c.args, func(t *testing.T) {
			programs := map[string]string{"go": ""}
			for name, body := range c.programs {
				programs[name] = body
			}
			calls, said, status := newSandbox(t, programs).make(strings.Fields(c.args)...)
			if status != 2 || !strings.Contains(said, c.want) {
				t.Errorf("status %d, said\n%s\nwant 2 and %q", status, said, c.want)
			}
			if len(calls) != c.calls {
				t.Errorf("calls %q, want %d", calls, c.calls)
			}
		})
	}
}

func TestGetApplication(t *testing.T) {
	const gateway = `case "$*" in *gateways*) echo gateway/frontend ;; esac` + "\n"
	const address = `case "$*" in *loadBalancer*) echo 192.0.2.7 ;; esac` + "\n"
	for _, c := range []struct{ name, kubectl, service, want string }{
		{"before stage ingress", address, "-n demo get service frontend", "address: http://192.0.2.7/"},
		{"after it", gateway + address, "-n istio-system get service istio-ingressgateway", "address: http://192.0.2.7/"},
		{"no load balancer", "", "-n demo get service frontend", "kubectl --context mine -n demo port-forward service/frontend 8080:80"},
		{"no load balancer for the gateway", gateway, "-n istio-system get service istio-ingressgateway",
			"kubectl --context mine -n istio-system port-forward service/istio-ingressgateway 8080:80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls, said, status := newSandbox(t, map[string]string{"go": "", "kubectl": c.kubectl}).make("get-application", "NAMESPACE=demo", "CONTEXT=mine")
			if status != 0 || !strings.Contains(said, c.want) {
				t.Errorf("status %d, said\n%s\nwant 0 and %q", status, said, c.want)
			}
			want := []string{
				"kubectl --context mine -n demo get pods,services",
				"kubectl --context mine -n demo get gateways.networking.istio.io frontend --ignore-not-found -o name",
				"kubectl --context mine " + c.service + " -o jsonpath={.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}",
			}
			if !slices.Equal(calls, want) {
				t.Errorf("calls\n%s\nwant\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// forwards is a kubectl that knows some services and forwards until it is killed; the file pids holds its processes. It
// loses the service named by $LOSES.
const forwards = `case "$*" in
*" get services "*) printf '%s\n' prometheus kiali tracing zipkin istiod ;;
*port-forward*)
  echo $$ >>pids
  here=${5%%:*}
  echo "Forwarding from 127.0.0.1:${here:-45678} -> ${5##*:}"
  echo "Forwarding from [::1]:${here:-45678} -> ${5##*:}"
  if [ "$4" = "service/$LOSES" ]; then sleep 1; echo "error: lost connection to pod"; exit 1; fi
  exec sleep 600 ;;
esac
`

// monitoring is a start-monitoring-services that runs.
type monitoring struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string // what it says; closed when it and all that it started in this terminal have ended
	said    []string
}

// monitor starts a command in a session of its own, as a terminal does, and returns when it has printed addresses.
func monitor(t *testing.T, command *exec.Cmd, addresses int) *monitoring {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = write, write
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	m := &monitoring{t: t, command: command, lines: make(chan string, 100)}
	t.Cleanup(func() { m.signal(syscall.SIGTERM) })
	go func() {
		defer close(m.lines)
		for scanner := bufio.NewScanner(read); scanner.Scan(); {
			m.lines <- scanner.Text()
		}
	}()
	m.until(func() bool { return len(m.addresses()) == addresses })
	return m
}

// signal sends to the whole group, as Ctrl-C does.
func (m *monitoring) signal(s syscall.Signal) { _ = syscall.Kill(-m.command.Process.Pid, s) }

// until reads what is said until enough is true, or to the end.
func (m *monitoring) until(enough func() bool) {
	m.t.Helper()
	deadline := time.After(30 * time.Second)
	for !enough() {
		select {
		case line, more := <-m.lines:
			if !more {
				return
			}
			m.said = append(m.said, line)
		case <-deadline:
			m.t.Fatalf("after 30 s only\n%s", strings.Join(m.said, "\n"))
		}
	}
}

// addresses are the printed addresses by service.
func (m *monitoring) addresses() map[string]string {
	found := map[string]string{}
	for _, line := range m.said {
		if name, address, ok := strings.Cut(line, " "); ok && strings.Contains(address, "http://127.0.0.1:") {
			found[name] = strings.TrimSpace(address)
		}
	}
	return found
}

// end reads to the end.
func (m *monitoring) end() {
	m.t.Helper()
	m.until(func() bool { return false })
	_ = m.command.Wait()
}

func TestMonitoringEndsTogether(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:9090")
	if err == nil { // else it is taken already
		defer taken.Close()
	}
	for _, c := range []struct {
		name, loses string
		signal      syscall.Signal
		want        string // part of what is said
	}{
		{"interrupt", "", syscall.SIGINT, "These addresses work until you press Ctrl-C:"},
		{"terminate", "", syscall.SIGTERM, "These addresses work until you press Ctrl-C:"},
		{"one is lost", "kiali", 0, "kiali: error: lost connection to pod\nThe forward to kiali has ended, so all forwards end now."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSandbox(t, map[string]string{"go": "", "kubectl": forwards})
			command := s.command("start-monitoring-services")
			command.Env = append(command.Env, "LOSES="+c.loses)
			m := monitor(t, command, 3)
			if c.signal != 0 {
				m.signal(c.signal)
			}
			m.end()
			if got := strings.Join(m.said, "\n"); !strings.Contains(got, c.want) {
				t.Errorf("said\n%s\nwant %q", got, c.want)
			}
			s.checkForwards(m.addresses())
			if code := command.ProcessState.ExitCode(); c.loses != "" && code != 2 {
				t.Errorf("status %d, want make's 2", code)
			}
			s.checkGone()
		})
	}
}

// checkForwards checks what was forwarded and which addresses were printed.
func (s *sandbox) checkForwards(addresses map[string]string) {
	s.t.Helper()
	var want []string
	for _, f := range []struct{ name, here, there string }{{"kiali", "20001", "20001"}, {"prometheus", "", "9090"}, {"tracing", "9411", "80"}} {
		if taken(f.here) {
			f.here = ""
		}
		want = append(want, "kubectl -n istio-system port-forward service/"+f.name+" "+f.here+":"+f.there)
		if got, want := addresses[f.name], "http://127.0.0.1:"+cmp.Or(f.here, "45678")+"/"; got != want {
			s.t.Errorf("%s is at %q, want %q", f.name, got, want)
		}
	}
	got := slices.Sorted(slices.Values(s.calls()))
	got = slices.DeleteFunc(got, func(call string) bool { return !strings.Contains(call, "port-forward") })
	if !slices.Equal(got, want) {
		s.t.Errorf("forwards\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// taken says whether something on this machine has the port.
func taken(port string) bool {
	connection, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
	if err == nil {
		_ = connection.Close()
	}
	return err == nil && port != ""
}

// checkGone checks that no forward is left.
func (s *sandbox) checkGone() {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, "pids"))
	s.check(err)
	pids := strings.Fields(string(text))
	if len(pids) != 3 {
		s.t.Errorf("%d forwards were alive, want 3", len(pids))
	}
	for _, pid := range pids {
		number, err := strconv.Atoi(pid)
		s.check(err)
		if err := syscall.Kill(number, 0); !errors.Is(err, syscall.ESRCH) {
			s.t.Errorf("the forward %d is left: %v", number, err)
		}
	}
}

// `make` alone lists every target, each once.
func TestMakeListsEveryTarget(t *testing.T) {
	s := newSandbox(t, map[string]string{"go": ""})
	_, said, status := s.make()
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, said)
	}
	var listed []string
	for _, line := range regexp.MustCompile(`(?m)^  ([a-z0-9-]+) +\S`).FindAllStringSubmatch(said, -1) {
		listed = append(listed, line[1])
	}
	if got := slices.DeleteFunc(slices.Clone(listed), func(name string) bool { return !slices.Contains(tutorial, name) }); !slices.Equal(got, tutorial) {
		t.Errorf("of the tutorial's targets %v are listed, want %v", got, tutorial)
	}
	_, database, _ := s.make("-pRrq", "help")
	_, database, _ = strings.Cut(database, "\n# Files\n")
	var known []string
	previous := ""
	for line := range strings.Lines(database) {
		name := regexp.MustCompile(`^([A-Za-z0-9-]+):`).FindStringSubmatch(line)
		if name != nil && !strings.HasPrefix(previous, "# Not a target") {
			known = append(known, name[1])
		}
		previous = line
	}
	slices.Sort(known)
	slices.Sort(listed)
	if len(known) < len(tutorial) || !slices.Equal(listed, known) {
		t.Errorf("listed\n%v\nmake knows\n%v", listed, known)
	}
}
