package traces

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/openzipkin/zipkin-go/model"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/hellochaos/hellochaos/reports"
)

// links returns links to those traces that Zipkin has of requests of phases that are not only compared with. On a cluster the mesh may
// trace the same requests under the same ids: links waits for the mesh's spans as long as flush, and the title of a link mentions them if they arrive.
func (z zipkin) links(ctx context.Context, all []Trace, cluster bool, flush time.Duration) (links []reports.Link, err error) {
	patient, cancel := context.WithTimeout(ctx, flush)
	defer cancel()
	asked := 0
	for _, t := range all {
		if t.Base {
			continue
		}
		asked++
		spans, err := z.get(ctx, t.ID)
		for err == nil && (len(spans) == 0 || cluster && t.Carried && !meshed(spans)) && pause(patient, time.Second/2) {
			spans, err = z.get(ctx, t.ID)
		}
		if err != nil {
			return links, fmt.Errorf("they could not be looked up: %w", err)
		}
		if len(spans) > 0 {
			title := fmt.Sprintf("Zipkin: %s of %s", reason(t.Why), t.Phase)
			if meshed(spans) {
				title += ", with the mesh's own spans"
			}
			links = append(links, reports.Link{Title: title, URL: z.page(t.ID)})
		}
	}
	if asked > 0 && len(links) == 0 {
		return nil, errors.New("its API does not have any of them yet")
	}
	return links, nil
}

// meshed reports whether a trace has spans that hellochaos did not send.
func meshed(spans []model.SpanModel) bool {
	return slices.ContainsFunc(spans, func(s model.SpanModel) bool { return s.Tags[string(semconv.OTelScopeNameKey)] != scope })
}

// reason names a request by the reason for which it was sampled.
func reason(why []string) string {
	switch why[0] {
	case "slowest":
		return "the slowest request"
	case "most tries":
		return "the request with most tries"
	case "failed":
		return "a failed request"
	case "deviated":
		return "a request that met something else than its rule says"
	}
	return "a request"
}

// pause waits for d. It returns false where the context ended before that.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// link adds links that the report does not have yet. A saved report whose traces are sent again has some of them.
func link(r *reports.Report, links []reports.Link) {
	for _, l := range links {
		if !slices.ContainsFunc(r.Links, func(have reports.Link) bool { return have.URL == l.URL }) {
			r.Links = append(r.Links, l)
		}
	}
}
