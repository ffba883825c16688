package manifests

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1alpha3"
)

// TestCovers checks for each word of retryOn which of the ways in which a try fails it covers.
func TestCovers(t *testing.T) {
	status := func(code int) Failure { return Failure{Status: code} }
	var (
		connect = Failure{ConnectFailure: true}
		reset   = Failure{Reset: true}
		perTry  = Failure{PerTryTimeout: true}
	)
	all := []Failure{status(200), status(404), status(409), status(429), status(499), status(500), status(501), status(502),
		status(503), status(504), status(505), status(599), status(600), connect, reset, perTry}
	limited := func(code int) Failure { return Failure{Status: code, RateLimited: true} }
	all = append(all, limited(200), limited(429), limited(500), limited(503))
	noAnswer := []Failure{connect, reset, perTry}
	for on, covered := range map[string][]Failure{
		defaultOn:                {connect},
		"5xx":                    append([]Failure{status(500), status(501), status(502), status(503), status(504), status(505), status(599)}, noAnswer...),
		"gateway-error":          append([]Failure{status(502), status(503), status(504)}, noAnswer...),
		"reset":                  noAnswer,
		"reset-before-request":   {connect},
		"connect-failure":        {connect},
		"retriable-4xx":          {status(409)},
		"retriable-status-codes": {},
		"500":                    {status(500)},
		"503,500":                {status(500), status(503)},
		"429,connect-failure":    {status(429), connect},
		"refused-stream,unavailable,cancelled,deadline-exceeded,internal,resource-exhausted": {},
		"retriable-headers,http3-post-connect-failure":                                       {},
		"envoy-ratelimited":                  {limited(200), limited(429), limited(500), limited(503)},
		"503,envoy-ratelimited":              {status(503), limited(200), limited(429), limited(500), limited(503)},
		"5xx,connect-failure,refused-stream": append([]Failure{status(500), status(501), status(502), status(503), status(504), status(505), status(599)}, noAnswer...),
	} {
		r := retry(&networking.HTTPRetry{Attempts: 3, RetryOn: on}, 0)
		want := make(map[Failure]bool)
		for _, f := range covered {
			want[f] = true
		}
		for _, f := range all {
			if got := r.Covers(f); got != want[f] {
				t.Errorf("retryOn %q, %+v: sent again %v, want %v", on, f, got, want[f])
			}
		}
	}
}

func TestRetryPolicy(t *testing.T) {
	seconds := func(n float64) *durationpb.Duration { return durationpb.New(time.Duration(n * float64(time.Second))) }
	for _, c := range []struct {
		name    string
		policy  *networking.HTTPRetry
		timeout time.Duration
		want    Retry
	}{
		{"absent: Istio's default", nil, 0,
			Retry{Attempts: 2, Base: 25 * time.Millisecond, PreviousHosts: true, On: defaultOn}},
		{"without retryOn: the default words", &networking.HTTPRetry{Attempts: 3, PerTryTimeout: seconds(2)}, 0,
			Retry{Attempts: 3, PerTry: 2 * time.Second, Base: 25 * time.Millisecond, PreviousHosts: true, On: defaultOn}},
		{"attempts 0: never", &networking.HTTPRetry{}, 0,
			Retry{Base: 25 * time.Millisecond, PreviousHosts: true, On: defaultOn}},
		{"all fields", &networking.HTTPRetry{Attempts: 1, PerTryTimeout: seconds(.3), RetryOn: "500", Backoff: seconds(.1),
			RetryIgnorePreviousHosts: wrapperspb.Bool(false)}, time.Second,
			Retry{Attempts: 1, PerTry: 300 * time.Millisecond, Base: 100 * time.Millisecond, On: "500"}},
		{"per-try timeout as long as the route's: ignored", &networking.HTTPRetry{Attempts: 1, PerTryTimeout: seconds(1)}, time.Second,
			Retry{Attempts: 1, Base: 25 * time.Millisecond, PreviousHosts: true, On: defaultOn}},
		{"previous hosts set to the default", &networking.HTTPRetry{Attempts: 1, RetryIgnorePreviousHosts: wrapperspb.Bool(true)}, 0,
			Retry{Attempts: 1, Base: 25 * time.Millisecond, PreviousHosts: true, On: defaultOn}},
	} {
		got := retry(c.policy, c.timeout)
		if got.Attempts != c.want.Attempts || got.PerTry != c.want.PerTry || got.Base != c.want.Base ||
			got.PreviousHosts != c.want.PreviousHosts || got.On != c.want.On {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestBackOff checks the bounds against real Istio, where the waits before retries 1 to 5 were measured to stay below 25, 50,
// 100, 200 and 250 ms.
func TestBackOff(t *testing.T) {
	want := map[int]int{-1: 0, 0: 0, 1: 25, 2: 50, 3: 100, 4: 200, 5: 250, 6: 250, 1000: 250}
	r := retry(nil, 0)
	for n, ms := range want {
		if got := r.BackOff(n); got != time.Duration(ms)*time.Millisecond {
			t.Errorf("BackOff(%d) = %v, want %d ms", n, got, ms)
		}
	}
	slow := Retry{Base: time.Second}
	for n, want := range map[int]time.Duration{1: time.Second, 3: 4 * time.Second, 5: 10 * time.Second} {
		if got := slow.BackOff(n); got != want {
			t.Errorf("base 1s: BackOff(%d) = %v, want %v", n, got, want)
		}
	}
}
