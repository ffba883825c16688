package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

// Spans implements target.Target.
func (m *Mesh) Spans(ctx context.Context, requests []string) (all []trail.Recording, err error) {
	if m.options.Untraced {
		return nil, errors.New("the services of this mesh keep no record of tries")
	}
	m.mutex.RLock()
	defer m.mutex.RUnlock()
	path := trail.SpansPath + "?" + target.SpansQuery(requests).Encode()
	var problems []error
	for name, d := range m.pods {
		if !target.Records(&d.workload) {
			continue
		}
		for _, pod := range d.pods {
			err := pod.get(ctx, path, func(body io.Reader) error {
				recording, err := target.ReadSpans(body)
				if err == nil {
					all = append(all, *recording)
				}
				return err
			})
			if err != nil {
				problems = append(problems, fmt.Errorf("reading the spans of Deployment %s: %w", name.name, err))
			}
		}
	}
	return all, errors.Join(problems...)
}
