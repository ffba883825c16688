package target_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// proxyLine has the fields of a line in the access log of an Istio proxy, in the default text form. A line without a method is
// about a TCP connection, all others are about a request.
type proxyLine struct {
	method, status, flags, detail string
	agent                         string // the request's User-Agent
	upstream                      string // the last host that was tried, "10.244.0.5:3000"
	cluster                       string // "outbound|80||one.default.svc.cluster.local"
	local                         string // the address that was connected to
}

// proxyFields is the number of fields in a line (istio.io/istio, pilot/pkg/model/telemetry_logging.go, EnvoyTextLogFormat).
const proxyFields = 22

// readProxyLine reads a line of the access log. It returns false for a line that is a message of the proxy about itself.
func readProxyLine(text string) (proxyLine, bool) {
	fields, ok := splitLine(text)
	if !ok || len(fields) != proxyFields || !strings.HasPrefix(text, "[") {
		return proxyLine{}, false
	}
	method, _, _ := strings.Cut(fields[1], " ")
	return proxyLine{method: method, status: fields[2], flags: fields[3], detail: fields[4], agent: fields[12], upstream: fields[15],
		cluster: fields[16], local: fields[18]}, true
}

// splitLine splits a line at its blanks, except those between quotes.
func splitLine(text string) (fields []string, ok bool) {
	for text != "" {
		end := " "
		if rest, quoted := strings.CutPrefix(text, `"`); quoted {
			text, end = rest, `"`
		}
		field, rest, found := strings.Cut(text, end)
		if !found && end == `"` {
			return nil, false
		}
		if end == `"` {
			if rest, found = strings.CutPrefix(rest, " "); !found && rest != "" {
				return nil, false
			}
		}
		fields, text = append(fields, field), rest
	}
	return fields, true
}

const (
	httpLine = `[2026-11-22T10:11:12.345Z] "GET /a?b=c HTTP/1.1" 503 URX via_upstream - "-" 0 95 30 29 "-" "contract/7 x" ` +
		`"9f3a-1" "one:80" "10.244.0.5:3000" outbound|80||one.default.svc.cluster.local 10.244.0.9:41000 10.96.1.1:80 10.244.0.9:51000 - default`
	tcpLine = `[2026-11-22T10:11:12.345Z] "- - -" 0 UH - - "-" 0 0 0 - "-" "-" "-" "-" "-" BlackHoleCluster - 10.0.0.1:3000 10.244.0.9:51000 - -`
)

func TestReadProxyLine(t *testing.T) {
	for text, want := range map[string]proxyLine{
		httpLine: {"GET", "503", "URX", "via_upstream", "contract/7 x", "10.244.0.5:3000", "outbound|80||one.default.svc.cluster.local", "10.96.1.1:80"},
		tcpLine:  {"-", "0", "UH", "-", "-", "-", "BlackHoleCluster", "10.0.0.1:3000"},
	} {
		if got, ok := readProxyLine(text); !ok || got != want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2026-11-22T10:11:12Z\tinfo\tready", httpLine + " more", httpLine[:len(httpLine)-8], `["`, `["a"b`} {
		if got, ok := readProxyLine(text); ok {
			t.Errorf("%s: read as %+v, want no line of the access log", text, got)
		}
	}
}

func FuzzReadProxyLine(f *testing.F) {
	f.Add(httpLine)
	f.Add(tcpLine)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, text string) {
		fields, ok := splitLine(text)
		if !ok || strings.Contains(text, `"`) {
			return
		}
		if want := strings.Split(strings.TrimSuffix(text, " "), " "); text != "" && !slices.Equal(fields, want) {
			t.Errorf("fields of %q: %q, want %q", text, fmt.Sprint(fields), fmt.Sprint(want))
		}
	})
}
