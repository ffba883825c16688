package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/spelling"
)

// The APIs in which the bundled stages are written: each stage has the same name, and says the same in both, as far as the API can.
const (
	// IstioAPI is Istio's own: VirtualServices, DestinationRules and Gateways of networking.istio.io.
	IstioAPI = "istio"
	// GatewayAPI is that of Kubernetes: HTTPRoutes and Gateways of gateway.networking.k8s.io.
	GatewayAPI = "gateway"
)

// APIs are the APIs of the bundled stages, the usual one first.
func APIs() []string { return []string{IstioAPI, GatewayAPI} }

// bundledIn are the bundled stages of an API. The error says that there is no such API.
func bundledIn(api string) (line, error) {
	switch api {
	case IstioAPI:
		return bundled, nil
	case GatewayAPI:
		return bundledGateway, nil
	}
	return nil, fmt.Errorf("--api %s: must be one of %s%s", api, strings.Join(APIs(), ", "), spelling.DidYouMean(api, APIs()))
}

// OpenIn is Open with the bundled stages in the form of an API. A scenario file says itself what it applies, so it is only for IstioAPI.
func OpenIn(api string, arguments []string) (*Scenario, error) {
	of, err := bundledIn(api)
	switch {
	case err != nil:
		return nil, err
	case api == IstioAPI:
		return Open(arguments)
	case slices.ContainsFunc(arguments, IsFile):
		return nil, fmt.Errorf("--api %s: is for the bundled stages: %s says itself what it applies", api, strings.Join(arguments, " "))
	}
	stages, err := of.choose(arguments)
	return &Scenario{Name: strings.Join(arguments, ", "), line: of, tested: stages}, err
}

// YAMLIn is the text of the bundled files of a stage in the form of an API. The error says that there is no such API or stage.
func YAMLIn(api, stage string) ([]byte, error) {
	of, err := bundledIn(api)
	if err != nil {
		return nil, err
	}
	return of.yaml(stage)
}

// ThroughIn is Through in the form of an API.
func ThroughIn(api, stage string, overrides map[string][]manifests.Object) ([]manifests.Object, error) {
	of, err := bundledIn(api)
	if err != nil {
		return nil, err
	}
	return of.through(stage, overrides)
}
