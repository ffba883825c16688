package manifests

import (
	"fmt"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"
)

func TestCalm(t *testing.T) {
	const pool, outlier = "connectionPool: {tcp: {maxConnections: 1}}", "outlierDetection: {maxEjectionPercent: 100}"
	for _, c := range []struct {
		policy string
		parts  []Coupling
		want   string
	}{
		{"trafficPolicy: {" + pool + ", " + outlier + "}", []Coupling{Pools, Ejections}, "host:\"m\""},
		{"trafficPolicy: {" + pool + ", " + outlier + "}", []Coupling{Pools}, "host:\"m\" traffic_policy:{outlier_detection:{max_ejection_percent:100}}"},
		{"trafficPolicy: {" + pool + ", " + outlier + "}", []Coupling{Ejections}, "host:\"m\" traffic_policy:{connection_pool:{tcp:{max_connections:1}}}"},
		{"trafficPolicy: {loadBalancer: {simple: RANDOM}, portLevelSettings: [{port: {number: 80}, " + pool + "}]}", []Coupling{Pools},
			"host:\"m\" traffic_policy:{load_balancer:{simple:RANDOM} port_level_settings:{port:{number:80} load_balancer:{}}}"},
		{"subsets: [{name: a, labels: {v: a}, trafficPolicy: {" + outlier + "}}]", []Coupling{Ejections}, "host:\"m\" subsets:{name:\"a\" labels:{key:\"v\" value:\"a\"}}"},
	} {
		objects, err := Parse("m.yaml", []byte(specOf("DestinationRule", "{host: m, "+c.policy+"}")))
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(objects[0].Istio)
		calm := Calm(objects, c.parts...)
		if got := plainText(calm[0].Istio.(*networking.DestinationRule)); got != c.want {
			t.Errorf("%s without %v: %s, want %s", c.policy, c.parts, got, c.want)
		}
		if after := fmt.Sprint(objects[0].Istio); after != before {
			t.Errorf("%s: the object itself became %s", c.policy, after)
		}
		if again := Calm(calm, c.parts...); again[0].Istio != calm[0].Istio {
			t.Errorf("%s: an object without the parts was copied", c.policy)
		}
	}
}

// plainText is a message in one line with single blanks, which the text form of protobuf varies on purpose.
func plainText(m fmt.Stringer) string {
	return strings.Join(strings.Fields(m.String()), " ")
}
