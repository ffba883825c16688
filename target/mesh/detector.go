package mesh

import (
	"sync"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

// detector counts the failures of the endpoints of a destination at one proxy, and says which of them it avoids, as Envoy's outlier detection
// does (outlier_detection_impl.cc).
type detector struct {
	policy *manifests.Ejection
	now    func() time.Time

	mutex   sync.Mutex
	next    time.Time // when it looks next which endpoints come back
	all     []*upstream
	watched map[*upstream]*watched
	ejected int
	healthy []*upstream // those that are not ejected
}

// watched is what a detector knows of an endpoint.
type watched struct {
	errors, gateway, local int // failures in a row
	// factor is how many times Base the next ejection lasts, less one: it grows with each ejection, and shrinks each time that the detector
	// looks while the endpoint is there (Envoy's ejectTimeBackoff).
	factor int
	// back is when its time is over; zero while it is not ejected.
	back time.Time
}

func newDetector(policy *manifests.Ejection, endpoints []*upstream) *detector {
	d := &detector{policy: policy, now: time.Now, all: endpoints, healthy: endpoints, watched: make(map[*upstream]*watched)}
	for _, u := range endpoints {
		d.watched[u] = &watched{}
	}
	d.next = d.now().Add(policy.Interval)
	return d
}

// endpoints are those to which a try may go now: those that are not ejected, or all where too few of them are left.
func (d *detector) endpoints() []*upstream {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.look()
	if d.policy.Panics(len(d.healthy), len(d.all)) {
		return d.all
	}
	return d.healthy
}

// look lets endpoints back whose time is over, at each interval that has passed. The mutex must be held.
func (d *detector) look() {
	for now := d.now(); !d.next.After(now); d.next = d.next.Add(d.policy.Interval) {
		for _, w := range d.watched {
			switch {
			case w.back.IsZero():
				w.factor = max(0, w.factor-1)
			case !w.back.After(d.next):
				*w = watched{factor: w.factor}
				d.ejected--
			}
		}
		d.keepHealthy()
	}
}

func (d *detector) keepHealthy() {
	healthy := make([]*upstream, 0, len(d.all))
	for _, u := range d.all {
		if d.watched[u].back.IsZero() {
			healthy = append(healthy, u)
		}
	}
	d.healthy = healthy
}

// report tells the detector how a try ended at an endpoint.
func (d *detector) report(u *upstream, f manifests.Failure) {
	if f.Overflow {
		return // it did not come to the endpoint
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.look()
	w := d.watched[u]
	if w == nil {
		return
	}
	if eject := w.count(d.policy, f); eject && w.back.IsZero() && d.ejected < d.policy.Most(len(d.all)) {
		w.factor++
		w.back = d.now().Add(d.policy.Lasts(w.factor))
		d.ejected++
		d.keepHealthy()
	}
}

// count counts a try, and reports whether it is the last one that is needed for an ejection. A count that is full begins anew, whether the
// endpoint is ejected or not (onConsecutiveErrorWorker).
func (w *watched) count(p *manifests.Ejection, f manifests.Failure) (eject bool) {
	status := f.Status
	if p.Local > 0 {
		if !f.ConnectFailure {
			w.local = 0 // a connection was made
		}
		if status == 0 {
			return full(&w.local, p.Local)
		}
	}
	if status == 0 {
		status = 503
		if f.PerTryTimeout {
			status = 504
		}
	}
	if status < 500 {
		w.errors, w.gateway = 0, 0
		return false
	}
	if status >= 502 && status <= 504 {
		eject = full(&w.gateway, p.GatewayErrors)
	} else {
		w.gateway = 0
	}
	return full(&w.errors, p.Errors) || eject
}

// full counts one more, and reports whether the count has reached its limit, at which it begins anew. A limit of 0 is never reached.
func full(count *int, limit int) bool {
	if *count++; *count != limit {
		return false
	}
	*count = 0
	return true
}
