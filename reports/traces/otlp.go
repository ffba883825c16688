package traces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
)

// retrying is how long a receiver that is busy is asked again; it is within the time that Send gives.
const retrying = 8 * time.Second

// sendOTLP brings the traces to an OTLP/HTTP receiver, as one request of protocol buffers. What is not a matter of the URL
// comes from OpenTelemetry's environment variables OTEL_EXPORTER_OTLP_*: headers, certificates, compression.
func sendOTLP(ctx context.Context, endpoint *url.URL, all []Trace) error {
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint.String()),
		otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 3 * time.Second, MaxElapsedTime: retrying}))
	if err != nil {
		return err
	}
	err = exporter.ExportSpans(ctx, readOnly(all))
	_ = exporter.Shutdown(ctx) // which only says that ctx is over, if it is
	var failed *url.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed): // the URL is said by who asks
		return failed.Err
	}
	return errors.New(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "traces export: "), "failed to send to "+endpoint.String()+": "))
}

// writeOTLP writes OTLP JSON lines, a line a trace: each is what the exporter would have sent with encoding http/json, because
// OpenTelemetry offers that encoding (which protojson is not: its ids are hexadecimal) by the exporter alone.
func writeOTLP(w io.Writer, all []Trace) error {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL("https://file.invalid"), // nothing is sent, so no name is looked up
		otlptracehttp.WithHTTPClient(&http.Client{Transport: lines{w}}),
		otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON), otlptracehttp.WithCompression(otlptracehttp.NoCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := exporter.ExportSpans(ctx, t.Spans.Snapshots()); err != nil {
			return err
		}
	}
	return exporter.Shutdown(ctx)
}

// lines is a transport that writes the bodies of requests, a line each, and sends nothing.
type lines struct{ to io.Writer }

func (l lines) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	if _, err := l.to.Write(append(bytes.TrimSpace(body), '\n')); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}, Request: request}, nil
}

// headerVariables are where OpenTelemetry's exporters find the headers of their requests, which is where credentials belong.
var headerVariables = []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}

// secrets are the values of these headers, and a complaint where they have not the form key=value,key=value: without their
// text, and made here because the exporter would log it with its text.
func secrets() (values []string, err error) {
	var problems []error
	for _, name := range headerVariables {
		if os.Getenv(name) == "" {
			continue
		}
		for i, pair := range strings.Split(os.Getenv(name), ",") {
			key, value, found := strings.Cut(pair, "=")
			decoded, err := url.PathUnescape(value)
			if !found || strings.TrimSpace(key) == "" || err != nil {
				problems = append(problems, fmt.Errorf("%s: entry %d is not key=value with the value percent-encoded; entries are parted by commas", name, i+1))
				continue
			}
			values = append(values, strings.TrimSpace(value), strings.TrimSpace(decoded))
			values = append(values, strings.Fields(decoded)...) // "Bearer" and the token
		}
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) }) // one may be within another
	return values, errors.Join(problems...)
}
