package traces

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/hellochaos/hellochaos/reports"
)

// Send brings the traces of a report to the destinations and adds links to those that Zipkin shows. Whatever goes wrong is a
// remark of the report, a line each, and nothing else; it takes 10 seconds at most.
func Send(ctx context.Context, r *reports.Report, to Destinations) {
	if to.otlp == nil && to.zipkin == nil {
		return
	}
	all, problems := Of(r)
	for _, p := range problems {
		remark(r, to, p)
	}
	if len(all) == 0 {
		remark(r, to, "no request was sampled, so none was sent")
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, to.patience, fmt.Errorf("no answer within %s", to.patience))
	defer cancel()
	var otlp, zipkin error
	var links []reports.Link
	var both sync.WaitGroup
	if to.otlp != nil {
		both.Go(func() { otlp = sendOTLP(ctx, to.otlp, all) })
	}
	if to.zipkin != nil {
		both.Go(func() { links, zipkin = sendZipkin(ctx, r, to, all) })
	}
	both.Wait()
	if otlp != nil {
		remark(r, to, fmt.Sprintf("--otlp-endpoint %s: %v", to.otlp, told(ctx, otlp)))
	}
	if zipkin != nil {
		remark(r, to, fmt.Sprintf("--zipkin-url %s: %v", to.zipkin, told(ctx, zipkin)))
	}
	link(r, links)
}

func sendZipkin(ctx context.Context, r *reports.Report, to Destinations, all []Trace) ([]reports.Link, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	z := zipkin{base: to.zipkin, client: &http.Client{Transport: transport}}
	if err := z.send(ctx, all); err != nil {
		return nil, fmt.Errorf("the traces were not taken: %w", err)
	}
	links, err := z.links(ctx, all, r.Target.Kind == "cluster", to.flush)
	if err != nil {
		return links, fmt.Errorf("the traces were taken, but %w", err)
	}
	return links, nil
}

// told is an error with the reason for which the time was over, where it was.
func told(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	return err
}

// remark adds one line, which is not long and has no credential in it, even if whoever answered repeated it.
func remark(r *reports.Report, to Destinations, text string) {
	for _, secret := range to.secrets {
		if len(secret) > 2 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	line := []rune("traces: " + strings.Join(strings.Fields(text), " "))
	if len(line) > 300 {
		line = append(line[:299], '…')
	}
	r.Remarks = append(r.Remarks, string(line))
}
