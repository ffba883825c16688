package envoy

import (
	"fmt"
	"math"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	http "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Settings are the limits of a cluster and when it ejects endpoints. 0 is no limit, and never.
type Settings struct {
	Connections, Pending, Requests, Retries, PerConnection int
	// Budget is the retry budget in words; empty where there is none.
	Budget string
	// Ejects says whether the cluster has outlier detection; the rest is of it.
	Ejects                 bool
	Errors, Gateway, Local int
	Interval, Base         time.Duration
	Percent, Panic         int
}

// String is the settings in one line; empty where there are none.
func (s Settings) String() string {
	if s == (Settings{}) {
		return ""
	}
	type plain Settings // without this method
	return fmt.Sprintf(" with %+v", plain(s))
}

// BudgetWords is a retry budget in words.
func BudgetWords(percent float64, least int) string {
	return fmt.Sprintf("%g %% and at least %d", percent, least)
}

// httpOptions is the name of a cluster's options for HTTP.
const httpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

// settings are those of a cluster, with Envoy's defaults where it sets nothing.
func settings(c *cluster.Cluster) (Settings, error) {
	var s Settings
	for _, t := range c.GetCircuitBreakers().GetThresholds() {
		s.Connections, s.Pending, s.Requests, s.Retries = limit(t.MaxConnections), limit(t.MaxPendingRequests), limit(t.MaxRequests), limit(t.MaxRetries)
		if b := t.RetryBudget; b != nil {
			s.Budget = BudgetWords(b.GetBudgetPercent().GetValue(), int(b.GetMinRetryConcurrency().GetValue()))
		}
	}
	if packed := c.TypedExtensionProtocolOptions[httpOptions]; packed != nil {
		var options http.HttpProtocolOptions
		if err := packed.UnmarshalTo(&options); err != nil {
			return s, fmt.Errorf("reading the options of cluster %s: %w", c.Name, err)
		}
		s.PerConnection = int(options.GetCommonHttpProtocolOptions().GetMaxRequestsPerConnection().GetValue())
	}
	o := c.OutlierDetection
	if o == nil {
		return s, nil
	}
	s.Ejects = true
	s.Errors = enforced(o.Consecutive_5Xx, o.EnforcingConsecutive_5Xx, 100)
	s.Gateway = enforced(o.ConsecutiveGatewayFailure, o.EnforcingConsecutiveGatewayFailure, 0)
	if o.SplitExternalLocalOriginErrors {
		s.Local = enforced(o.ConsecutiveLocalOriginFailure, o.EnforcingConsecutiveLocalOriginFailure, 100)
	}
	s.Interval, s.Base = lasting(o.Interval, 10*time.Second), lasting(o.BaseEjectionTime, 30*time.Second)
	s.Percent = int(or(o.MaxEjectionPercent, 10))
	s.Panic = 50
	if p := c.GetCommonLbConfig().GetHealthyPanicThreshold(); p != nil {
		s.Panic = int(p.Value)
	}
	return s, nil
}

func or(v *wrapperspb.UInt32Value, otherwise uint32) uint32 {
	if v == nil {
		return otherwise
	}
	return v.Value
}

// limit is a threshold, which Istio sets to the largest number where there is none.
func limit(v *wrapperspb.UInt32Value) int {
	if v.GetValue() == math.MaxUint32 {
		return 0
	}
	return int(v.GetValue())
}

// enforced is how many failures in a row eject an endpoint, 5 where nothing is set; 0 where that is not enforced.
func enforced(failures, enforcing *wrapperspb.UInt32Value, otherwise uint32) int {
	if or(enforcing, otherwise) == 0 {
		return 0
	}
	return int(or(failures, 5))
}

func lasting(d *durationpb.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.AsDuration()
}
