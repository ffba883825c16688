package drill

import (
	"fmt"
	"net/http"
	"time"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// calmRate is how many requests a second come one after another.
	calmRate = 20
	// mostFailing is how many requests are made to fail at most.
	mostFailing = 120
	// mostWaited is how long an ejection may last so that the return of its pod is waited for, and glance how long it is looked at otherwise.
	mostWaited, glance = 10 * time.Second, time.Second
	// grace is how much later than the answer that ejects a pod, or than the end of its time, its proxy may obey.
	grace = 200 * time.Millisecond
)

// ejection checks by the order of the answers that a pod is ejected after so many failures in a row, meets no request until its time is over,
// and comes back.
func ejection(s Subject) Drill {
	e := s.Ejection
	d := Drill{Subject: s, Kind: Eject, Rate: calmRate, Parts: []manifests.Coupling{manifests.Pools}}
	most := e.Most(s.Pods)
	if e.Errors == 0 {
		most = 0
	}
	tries := s.retried()
	failing := (max(e.Errors, 1)*s.Pods + most + 2 + tries - 1) / tries
	away := e.Base + e.Interval
	waits := most > 0 && away <= mostWaited
	quiet := glance
	if waits {
		quiet = away + 2*grace + glance
	}
	switch {
	case failing > mostFailing:
		d.Why = fmt.Sprintf("%d failures in a row are needed, and a check has at most %d", e.Errors, mostFailing)
	case tries > 1 && s.Pods > 1 && most > 0:
		d.Why = "the rule sends failed calls again, and the answers do not tell at which pods the tries before the last one failed"
	case e.Panics(s.Pods-most, s.Pods):
		d.Why = fmt.Sprintf("with %d of %s ejected, fewer than minHealthPercent are left, and calls go to ejected ones as well", most, counted(s.Pods, "pod"))
	default:
		d.Requests = append(pinned(failing, fails), pinned(int(quiet.Seconds()*calmRate), "none")...)
		d.judge = byAnswers(func(answers []Answer) Finding {
			w := watch{subject: &s, most: most, waits: waits, pods: map[string]*pod{}, failing: failing}
			return w.judge(answers)
		})
	}
	return d
}

// watch follows the answers of requests that were sent one after another.
type watch struct {
	subject *Subject
	most    int
	waits   bool
	failing int // how many requests fail
	pods    map[string]*pod
	ejected int           // how many pods are
	refused int           // how many requests were
	ever    int           // how many ejections there were
	failed  time.Duration // when the last of the requests that fail had ended
	back    time.Duration
}

// pod is what is known of a pod: its failures in a row, and since when it is ejected, for how long.
type pod struct {
	name         string
	failed       int
	since, lasts time.Duration
	away         bool
}

func (w *watch) judge(answers []Answer) Finding {
	for i := range answers {
		a := &answers[i]
		if i < w.failing {
			w.failed = max(w.failed, a.Ended)
		} else if a.Started < w.failed {
			return undecided("this machine was too slow to end the requests that fail before the next ones began")
		}
		var f Finding
		switch {
		case a.refused():
			f = w.refuse(a, i < w.failing)
		case a.Pod == "":
			f = undecided("a request ended with status %d, and no pod answered it", a.Status)
		default:
			f = w.answered(a)
		}
		if f != (Finding{}) {
			return f
		}
	}
	return w.end()
}

// answered judges an answer of a pod, and counts it.
func (w *watch) answered(a *Answer) Finding {
	p := w.pods[a.Pod]
	if p == nil {
		p = &pod{name: a.Pod}
		w.pods[a.Pod] = p
	}
	if p.away {
		since := a.Started - p.since
		switch {
		case since < grace: // the proxy may not have obeyed yet
			return Finding{}
		case a.Ended-p.since < p.lasts:
			return wrong("pod %s answered %v after its failure number %d in a row ejected it for %v", p.name, since.Round(time.Millisecond), w.subject.Ejection.Errors, p.lasts)
		}
		w.back = max(w.back, since)
		p.away, p.failed = false, 0
		w.ejected--
	}
	if a.Status < http.StatusInternalServerError {
		p.failed = 0
		return Finding{}
	}
	tries := 1
	if w.subject.Pods == 1 {
		tries = a.Attempt
	}
	w.failures(p, tries)
	return Finding{}
}

// failures counts tries that failed at a pod. Some of the requests that fail may have ended in another order than they were sent in, which
// changes no count: the pod is ejected when all so far have ended, at the latest.
func (w *watch) failures(p *pod, tries int) {
	errors := w.subject.Ejection.Errors
	for range tries {
		if p.failed++; p.failed != errors {
			continue
		}
		p.failed = 0
		if w.ejected < w.most && !p.away {
			p.since, p.lasts, p.away = w.failed, w.subject.Ejection.Lasts(1), true
			w.ejected++
			w.ever++
		}
	}
}

// refuse judges an answer of 503 by the proxy. A call whose tries eject the only pod is refused at its next try.
func (w *watch) refuse(a *Answer, failing bool) Finding {
	w.refused++
	if w.ejected == 0 && failing && w.subject.Pods == 1 && w.most > 0 {
		for _, p := range w.pods {
			w.failures(p, w.subject.retried()-1)
		}
		if len(w.pods) == 0 && w.subject.Ejection.Errors < w.subject.retried() {
			w.pods["its pod"] = &pod{name: "its pod", since: w.failed, lasts: w.subject.Ejection.Lasts(1), away: true}
			w.ejected, w.ever = 1, 1
		}
	}
	if w.ejected < w.subject.Pods {
		return wrong("a request was refused with 503 while %d of %s were ejected: the proxy had somebody to send it to", w.ejected, counted(w.subject.Pods, "pod"))
	}
	for _, p := range w.pods {
		if p.away && a.Started > p.since+p.lasts+w.subject.Ejection.Interval+grace {
			return wrong("a request was refused with 503 %v after %s was ejected for %v", (a.Started - p.since).Round(time.Millisecond), p.name, p.lasts)
		}
	}
	return Finding{}
}

// end is what follows from all answers.
func (w *watch) end() Finding {
	e := w.subject.Ejection
	switch {
	case w.most == 0 && e.Errors == 0:
		return Finding{Right: fmt.Sprintf("after %d failures no pod was ejected, as answers of 500 never eject one here", w.failing)}
	case w.most == 0:
		return Finding{Right: fmt.Sprintf("after %d failures no pod was ejected: one of %s is more than %d %% (maxEjectionPercent)", w.failing*w.subject.retried(), counted(w.subject.Pods, "pod"), e.Percent)}
	case w.ever == 0:
		return undecided("no pod failed %d times in a row", e.Errors)
	case w.waits && w.ejected > 0:
		return wrong("%s did not come back after %v, and the proxy looks every %v who does", counted(w.ejected, "pod"), e.Lasts(1), e.Interval)
	}
	text := fmt.Sprintf("after %s of 500 in a row a pod met no request", counted(e.Errors, "answer"))
	if w.refused > 0 {
		text += fmt.Sprintf(" (%s refused with 503)", counted(w.refused, "request"))
	}
	if w.waits {
		return Finding{Right: fmt.Sprintf("%s for %v, and came back %.1f s after it was ejected", text, e.Lasts(1), w.back.Seconds())}
	}
	return Finding{Right: fmt.Sprintf("%s; its return after %v was not waited for", text, e.Lasts(1))}
}
