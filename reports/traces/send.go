package traces

import (
	"context"
	"fmt"
	"sync"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/destination"
)

// Send sends the traces of a report to the destinations, and adds links to those that Zipkin has. It takes 10 seconds at most. Each
// problem becomes a remark of the report, and changes nothing else.
func Send(ctx context.Context, r *reports.Report, to Destinations) {
	if to.otlp == nil && to.zipkin == nil {
		return
	}
	all, problems := Of(r)
	for _, p := range problems {
		remark(r, to, p)
	}
	if len(all) == 0 {
		remark(r, to, "no request was sampled, so no trace was sent")
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, to.patience, fmt.Errorf("no answer within %s", to.patience))
	defer cancel()
	var otlp, zipkin error
	var links []reports.Link
	var both sync.WaitGroup
	if to.otlp != nil {
		both.Go(func() { otlp = sendOTLP(ctx, to.otlp, to.settings, all) })
	}
	if to.zipkin != nil {
		both.Go(func() { links, zipkin = sendZipkin(ctx, r, to, all) })
	}
	both.Wait()
	if otlp != nil {
		remark(r, to, fmt.Sprintf("--otlp-endpoint %s: %v", to.otlp, otlp))
	}
	if zipkin != nil {
		remark(r, to, fmt.Sprintf("--zipkin-url %s: %v", to.zipkin, zipkin))
	}
	link(r, links)
}

func sendZipkin(ctx context.Context, r *reports.Report, to Destinations, all []Trace) ([]reports.Link, error) {
	z := zipkin{base: to.zipkin, client: destination.New(destination.Options{})}
	defer z.client.Close()
	if err := z.send(ctx, all); err != nil {
		return nil, fmt.Errorf("the server did not accept the traces: %w", err)
	}
	links, err := z.links(ctx, all, r.Target.Kind == "cluster", to.flush)
	if err != nil {
		return links, fmt.Errorf("the server accepted the traces, but %w", err)
	}
	return links, nil
}

// remark adds a remark of at most 299 characters to the report. Credentials are removed from it, since an answer may repeat them.
func remark(r *reports.Report, to Destinations, text string) {
	r.Remarks = append(r.Remarks, to.settings.secrets.Line("traces: "+text, 299))
}
