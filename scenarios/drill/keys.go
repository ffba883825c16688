package drill

import (
	"fmt"

	"github.com/hellochaos/hellochaos/manifests"
)

const (
	// keysTried is how many keys are tried, each of them in so many requests.
	keysTried, requestsEach = 12, 4
)

// keys checks that requests with the same key meet the same pod.
func keys(s Subject) Drill {
	d := Drill{Subject: s, Kind: Keys, Rate: crowdRate, Parts: []manifests.Coupling{manifests.Pools, manifests.Ejections}}
	h := s.Hash
	switch {
	case s.Pods < 2:
		d.Why = "there is 1 pod, so that all keys go to it"
	case h.Header == "" && h.Query == "" && h.Cookie == "" && !h.Source:
		d.Why = "it has no key, so that pods are chosen by chance"
	default:
		for range requestsEach {
			for key := range keysTried {
				if h.Source {
					key = 0
				}
				d.Requests = append(d.Requests, Request{Pins: "none", Key: fmt.Sprintf("key-%d", key)})
			}
		}
		d.judge = byAnswers(s.judgeKeys)
	}
	return d
}

func (s *Subject) judgeKeys(answers []Answer) Finding {
	met, all := map[string]string{}, map[string]bool{}
	for i := range answers {
		a := &answers[i]
		if a.Pod == "" {
			return undecided("a request ended with status %d, and no pod answered it", a.Status)
		}
		if before, known := met[a.Key]; known && before != a.Pod {
			if s.Hash.Source {
				return wrong("requests from one address met the pods %s and %s", before, a.Pod)
			}
			return wrong("requests with the %s %q met the pods %s and %s", s.Hash, a.Key, before, a.Pod)
		}
		met[a.Key], all[a.Pod] = a.Pod, true
	}
	if s.Hash.Source {
		return Finding{Right: fmt.Sprintf("all of %d requests came from one address and met one of %s", len(answers), counted(s.Pods, "pod"))}
	}
	return Finding{Right: fmt.Sprintf("%d requests with %d keys (%s): those with the same key met the same pod, and the keys together %d of %s", len(answers), len(met), s.Hash, len(all), counted(s.Pods, "pod"))}
}
