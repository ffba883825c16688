package manifests

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"
)

// Ejection says when a proxy sends no more calls to an endpoint that failed too often: outlierDetection. Each proxy counts by itself.
type Ejection struct {
	// Errors is how many answers of 5xx in a row eject an endpoint, GatewayErrors how many of 502, 503 and 504; 0 is never. Where Local is
	// 0, a connection that cannot be made or breaks counts as 503 for both, and a try that its time limit cuts as 504.
	Errors, GatewayErrors int
	// Local is how many tries in a row without an answer eject an endpoint, where they are told apart from answers
	// (splitExternalLocalOriginErrors); else 0.
	Local int
	// Interval is how often the proxy looks which endpoints come back.
	Interval time.Duration
	// Base is how long the first ejection of an endpoint lasts; see Lasts.
	Base time.Duration
	// Percent is which share of the endpoints may be ejected at most, in [0,100] (maxEjectionPercent).
	Percent int
	// Panic is the share of the endpoints, in [0,100], below which calls go to ejected ones as well (minHealthPercent); 0 never. See Panics.
	Panic int
	// Ignored is consecutiveErrors, which Istio reads no more.
	Ignored int
}

// Defaults of Envoy's OutlierDetection where Istio sets nothing.
const (
	ejectingErrors   = 5
	ejectingInterval = 10 * time.Second
	ejectionBase     = 30 * time.Second
	ejectionPercent  = 10
	longestEjection  = 300 * time.Second
)

// ejectionOf is what an outlierDetection says; nil where there is none: Istio ejects nobody then (applyOutlierDetection).
func ejectionOf(o *networking.OutlierDetection) *Ejection {
	if o == nil {
		return nil
	}
	e := &Ejection{Errors: ejectingErrors, Interval: ejectingInterval, Base: ejectionBase, Percent: ejectionPercent, Panic: int(o.MinHealthPercent)}
	if o.Consecutive_5XxErrors != nil {
		e.Errors = int(o.Consecutive_5XxErrors.Value)
	}
	//lint:ignore SA1019 files have the deprecated field
	e.Ignored = int(o.ConsecutiveErrors)
	e.GatewayErrors = int(o.ConsecutiveGatewayErrors.GetValue())
	if o.SplitExternalLocalOriginErrors {
		e.Local = cmp.Or(int(o.ConsecutiveLocalOriginFailures.GetValue()), ejectingErrors)
	}
	if o.Interval != nil {
		e.Interval = o.Interval.AsDuration()
	}
	if o.BaseEjectionTime != nil {
		e.Base = o.BaseEjectionTime.AsDuration()
	}
	if o.MaxEjectionPercent > 0 {
		e.Percent = int(o.MaxEjectionPercent)
	}
	return e
}

// Most is how many of so many endpoints may be ejected at a time. Since Envoy 1.28 the one that is about to be ejected counts, too, so that
// it is none where one of them is a greater share than Percent (ejectHost in its outlier_detection_impl.cc).
func (e *Ejection) Most(endpoints int) int { return endpoints * e.Percent / 100 }

// Panics reports whether calls go to ejected endpoints as well when so many of all are left. Envoy looks at Panic only where 1.4 times the share
// that is left is below 100 % (LoadBalancerBase::recalculatePerPriorityPanic in its load_balancer_impl.cc): with three of four it never does.
func (e *Ejection) Panics(left, all int) bool {
	return all > 0 && overprovisioned*left/all < 100 && 100*left < e.Panic*all
}

// overprovisioned is Envoy's overprovisioning factor in percent, which Istio leaves as it is.
const overprovisioned = 140

// Lasts is how long an endpoint stays away that is ejected for the nth time, up to a longest time; it comes back when the proxy looks next.
func (e *Ejection) Lasts(n int) time.Duration {
	return min(time.Duration(n)*e.Base, max(longestEjection, e.Base))
}

// checkOutlierDetection refuses what Istio's validateOutlierDetection refuses.
func (d *document) checkOutlierDetection(field string, o *networking.OutlierDetection) {
	if o == nil {
		return
	}
	if !o.SplitExternalLocalOriginErrors && o.ConsecutiveLocalOriginFailures.GetValue() > 0 {
		d.problem(field+".consecutiveLocalOriginFailures", "needs splitExternalLocalOriginErrors: true beside it, since Istio refuses it without")
	}
	for _, percent := range []struct {
		name  string
		value int32
	}{{"maxEjectionPercent", o.MaxEjectionPercent}, {"minHealthPercent", o.MinHealthPercent}} {
		if percent.value < 0 || percent.value > 100 {
			d.problem(field+"."+percent.name, "must be from 0 to 100, not %d", percent.value)
		}
	}
}

// uint32Value and doubleValue are the full names of the messages of a number that may be left out.
var (
	uint32Value = (*wrapperspb.UInt32Value)(nil).ProtoReflect().Descriptor().FullName()
	doubleValue = (*wrapperspb.DoubleValue)(nil).ProtoReflect().Descriptor().FullName()
)
