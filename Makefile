# hellochaos. `make` alone lists the targets. Each variable that is set with ?= can be given: make canary NAMESPACE=demo
GO    ?= go
SEEDS ?= 20
PAIRS ?= 20
FUZZ  ?= 20s

# The tutorial's cluster: create-cluster and delete-cluster act on it by name, all other targets on kubectl's CONTEXT, empty
# for the current one.
CLUSTER       ?= gke
CLUSTER_NAME  ?= hellochaos
PROJECT       ?= $(shell gcloud config get-value project 2>/dev/null)
ZONE          ?= us-west1-b
CONTEXT       ?=
NAMESPACE     ?= default
ISTIO_VERSION ?= 1.31.1

# The image: where the cluster gets it, and the processor of its nodes.
IMAGE ?= $(if $(filter gke,$(CLUSTER)),$(PROJECT:%=gcr.io/%/))hello-service:latest
ARCH  ?= $(shell $(GO) env GOARCH)

KUBECTL  ?= kubectl
ISTIOCTL ?= istioctl
HELM     ?= helm
DOCKER   ?= docker

# A release: the versions of the Go modules that make it, and the name of the command line's image.
GORELEASER    ?= v2.17.0
SYFT          ?= v1.57.1
RELEASE_IMAGE ?= ghcr.io/hellochaos/hellochaos

BINARY  := bin/linux-$(ARCH)/hello-service
ARCHIVE := bin/hello-service.tar
kubectl  = $(KUBECTL)$(if $(CONTEXT), --context $(CONTEXT))
SCOPE   := https://github.com/weaveworks/scope/releases/download/v1.13.2/k8s-scope.yaml

.DEFAULT_GOAL := help
.PHONY: help demo test build check foreign integration e2e verify comparisons bench size fuzz \
	release release-snapshot \
	create-cluster deploy-istio enable-istio-auto-inject-sidecar disable-istio-auto-inject-sidecar image push \
	deploy-application get-application start-monitoring-services egress prod retry ingress canary deploy-weave-scope delete-cluster

help: ## list the targets
	@awk -F ':.*## ' '/^##@ /{print "\n" substr($$0, 5)} /^[a-z0-9-]+:.*## /{printf "  %-35s%s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables, at the top of the Makefile, are given as in: make prod NAMESPACE=demo"

##@ The tutorial, in its order:

create-cluster: ## a cluster on GKE, or CLUSTER=kind
	CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" PROJECT="$(PROJECT)" ZONE="$(ZONE)" hack/create-cluster.sh

deploy-istio: ## Istio ISTIO_VERSION with its addons
	KUBECTL="$(kubectl)" CONTEXT="$(CONTEXT)" ISTIOCTL="$(ISTIOCTL)" HELM="$(HELM)" ISTIO_VERSION="$(ISTIO_VERSION)" hack/deploy-istio.sh

enable-istio-auto-inject-sidecar: ## new pods of NAMESPACE get a sidecar
	$(kubectl) label namespace $(NAMESPACE) istio-injection=enabled --overwrite

disable-istio-auto-inject-sidecar: ## new pods of NAMESPACE get none
	$(kubectl) label namespace $(NAMESPACE) istio-injection=disabled --overwrite

build: bin/hellochaos bin/hello-service $(BINARY) ## the programs, into bin/

image: $(BINARY) ## hello-service's image, into bin/
	GO="$(GO)" DOCKER="$(DOCKER)" IMAGE="$(IMAGE)" BINARY="$(BINARY)" ARCH="$(ARCH)" ARCHIVE="$(ARCHIVE)" hack/image.sh

push: image ## the image to its registry or kind's nodes
	GO="$(GO)" DOCKER="$(DOCKER)" IMAGE="$(IMAGE)" BINARY="$(BINARY)" ARCHIVE="$(ARCHIVE)" CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" hack/push.sh

# By a load balancer, as in the tutorial: on most clouds its address is public.
deploy-application: bin/hellochaos ## the demo chain into NAMESPACE
	bin/hellochaos deploy --image $(IMAGE) --service-type LoadBalancer -n $(NAMESPACE)$(if $(CONTEXT), --context $(CONTEXT))

get-application: ## its pods, services and address
	@KUBECTL="$(kubectl)" NAMESPACE="$(NAMESPACE)" hack/get-application.sh

start-monitoring-services: ## Prometheus, Grafana, Kiali, Zipkin, here
	@KUBECTL="$(kubectl)" hack/start-monitoring-services.sh

# A stage is applied for good; `hellochaos run STAGE` applies it, measures, and puts back what was there.
egress prod retry ingress canary: bin/hellochaos
	bin/hellochaos manifests $@ | $(kubectl) apply -n $(NAMESPACE) -f -

egress: ## let the backend call the clock
prod: ## send middleware's calls to prod alone
retry: ## retry failed calls inside the mesh
ingress: ## let requests in by the gateway alone
canary: ## send developers to the canary

deploy-weave-scope: ## Weave Scope (archived upstream)
	@echo "Weave Scope is archived upstream: this is its last release, 1.13.2, and it gets no fixes."
	$(kubectl) apply -f $(SCOPE)
	@echo "To see it: $(kubectl) -n weave port-forward service/weave-scope-app 4040:80, then http://127.0.0.1:4040/"

delete-cluster: ## delete what create-cluster created
	KUBECTL="$(KUBECTL)" CLUSTER="$(CLUSTER)" CLUSTER_NAME="$(CLUSTER_NAME)" PROJECT="$(PROJECT)" ZONE="$(ZONE)" NAMESPACE="$(NAMESPACE)" hack/delete-cluster.sh

##@ For developers:

demo: bin/hellochaos ## the tour: five stages, five verdicts
	./bin/hellochaos run all --fail 0.3 --seed 1

# The tests of these packages send load, and two that shared the machine would be late: they run one after the other. What is
# parallel in one of them waits more than it works.
LOADED := ./attack ./cmd/hellochaos ./docs ./scenarios ./service ./target ./target/mesh

test: ## all tests, with the race detector
	@all=$$($(GO) list ./...) && loaded=$$($(GO) list $(LOADED)) || exit 1; \
	status=0; set -x; \
	$(GO) test -race $$(echo "$$all" | grep -vxF "$$loaded") || status=1; \
	$(GO) test -race -p 1 -parallel 4 $(LOADED) || status=1; \
	exit $$status

check: ## what every commit must pass
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet -tags e2e,integration,foreign ./...
	$(GO) tool staticcheck -tags e2e,integration,foreign ./...
	$(GO) mod tidy -diff
	$(MAKE) test

# The types of every package for each system and processor of a release, and one foreign program as a whole.
foreign: ## what a release for other systems needs
	$(GO) test -tags foreign -count 1 -run '^TestEverySystem$$' .
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) build -trimpath -ldflags "-s -w" -o bin/windows-amd64/hellochaos.exe ./cmd/hellochaos

# With the programs themselves: Chromium and Prometheus (apt-get install chromium prometheus), Zipkin's server (Java, Maven).
integration: ## the tests that need other programs
	$(GO) test -tags integration -p 1 -count 1 -timeout 15m -run Integration ./reports/... ./cmd/hellochaos

# On the cluster of KUBECONFIG, in namespaces of their own. LOAD, when given, is a command that brings an image's archive to
# its nodes: LOAD="kind load image-archive".
e2e: bin/hellochaos ## the tests that need a cluster
	@test -n "$$KUBECONFIG" || { echo "make e2e: set KUBECONFIG to the cluster's"; exit 2; }
	$(MAKE) image IMAGE=hello-service:latest
	$(if $(LOAD),$(LOAD) $(ARCHIVE))
	$(GO) test -tags e2e -p 1 -count 1 -timeout 40m -v -run 'E2E|OnCluster|OnACluster' . ./target/... ./cmd/hellochaos

# On each seed every --break must fail and `run all` must pass.
verify: ## docs/verification.md's table, SEEDS seeds
	$(GO) test ./cmd/hellochaos -run '^TestVerifier$$' -count 1 -timeout 90m -v -seeds $(SEEDS)

# Pairs of runs that are alike, and pairs of which one is worse.
comparisons: ## docs/compare.md's table, PAIRS pairs a line
	$(GO) test ./cmd/hellochaos -run '^TestComparisons$$' -count 1 -timeout 5h -v -pairs $(PAIRS)

bench: ## the benchmarks of every hot path
	$(GO) test -run '^$$' -bench . -benchmem ./...

size: ## how large the program is, and what fills it
	@GO="$(GO)" hack/size.sh

fuzz: ## each fuzz target for FUZZ
	GO="$(GO)" FUZZ="$(FUZZ)" hack/fuzz.sh

##@ For maintainers:

# On a commit with a tag vX.Y.Z; what it needs in the environment is at the top of hack/release.sh.
release: ## publish the release of the commit's tag
	GO="$(GO)" GORELEASER="$(GORELEASER)" SYFT="$(SYFT)" RELEASE_IMAGE="$(RELEASE_IMAGE)" hack/release.sh publish

release-snapshot: ## the files of a release into dist/, unpublished
	GO="$(GO)" GORELEASER="$(GORELEASER)" SYFT="$(SYFT)" RELEASE_IMAGE="$(RELEASE_IMAGE)" hack/release.sh snapshot

# What the targets above make. They are phony since Go knows what is stale.
.PHONY: bin/hellochaos bin/hello-service $(BINARY)
bin/hellochaos bin/hello-service:
	$(GO) build -ldflags "-s -w" -o $@ ./cmd/$(@F)

$(BINARY):
	CGO_ENABLED=0 GOOS=linux GOARCH=$(ARCH) $(GO) build -trimpath -ldflags "-s -w" -o $@ ./cmd/hello-service
