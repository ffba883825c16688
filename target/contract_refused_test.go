package target_test

import (
	"strings"
	"testing"

	"github.com/hellochaos/hellochaos/manifests"
)

// refused are objects that Istio's webhook or the API server refuses. hellochaos must refuse them when it reads them, before it
// sends anything.
func refused() map[string]string {
	one := func(route string) string { return rules("one", route) }
	return map[string]string{
		"blank after a comma in retryOn":      one(to("one") + `, retries: {attempts: 3, retryOn: "5xx, reset"}`),
		"retryOn with an unknown word":        one(to("one") + ", retries: {attempts: 3, retryOn: 6xx}"),
		"retryOn with no attempts":            one(to("one") + ", retries: {attempts: 0, retryOn: 5xx}"),
		"perTryTimeout with no attempts":      one(to("one") + ", retries: {attempts: 0, perTryTimeout: 2s}"),
		"retryOn where attempts are left out": one(to("one") + ", retries: {retryOn: 5xx}"),
		"negative attempts":                   one(to("one") + ", retries: {attempts: -1}"),
		"perTryTimeout of half a millisecond": one(to("one") + ", retries: {attempts: 1, perTryTimeout: 500us}"),
		"negative timeout":                    one(to("one") + ", timeout: -1s"),
		"misspelt field":                      one(to("one") + ", retries: {attempts: 3, retryon: 5xx}"),
		"weights that are all omitted":        rules("two", split("two/a", "two/b")),
		"negative weight":                     rules("two", split("two/a -1", "two/b 2")),
		"empty prefix":                        one("match: [{headers: {x-a: {prefix: \"\"}}}], " + to("one")),
		"empty regex":                         one("match: [{headers: {x-a: {regex: \"\"}}}], " + to("one")),
		"regex that cannot be compiled":       one("match: [{uri: {regex: \"(\"}}], " + to("one")),
		"route and redirect":                  one(to("one") + ", redirect: {uri: /}"),
		"redirect of status 200":              one("redirect: {uri: /, redirectCode: 200}"),
		"abort of status 601":                 one(to("one") + ", fault: {abort: {httpStatus: 601, percentage: {value: 1}}}"),
		"abort of 101 %":                      one(to("one") + ", fault: {abort: {httpStatus: 500, percentage: {value: 101}}}"),
		"rule without an action":              one("timeout: 1s"),
		"every host in the mesh":              strings.Replace(rules("*", to("one")), "name: *", "name: all", 1),
		"subset without a name": `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: two}
spec: {host: two, subsets: [{name: "", labels: {version: a}}]}
`,
		"empty traffic policy": balancer("{}"),
		"ServiceEntry without a host": `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: hidden}
spec: {hosts: [], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
`,
		"Gateway without a server": `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: door}
spec: {selector: {istio: ingressgateway}, servers: []}
`,
	}
}

func TestRefused(t *testing.T) {
	for name, policy := range refused() {
		t.Run(name, func(t *testing.T) {
			over, err := manifests.Parse("policy.yaml", []byte(policy))
			if err == nil {
				_, err = manifests.Read(manifests.Overlay(parse(t, ""), over))
			}
			if err == nil {
				t.Errorf("accepted:%s", policy)
			}
		})
	}
}
