package service

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// probeTime is how long a probe waits for its answer.
const probeTime = 2 * time.Second

// probe sends the request that r describes to s.probed, in the same way as the service sends its own calls. It answers with the
// answer, or with the error.
func (s *Service) probe(r *http.Request) answer {
	if r.Method != http.MethodGet {
		return onlyGet(r)
	}
	host := r.URL.Query().Get("host")
	if !trail.ProbeHost(host) {
		return refusal(http.StatusBadRequest, fmt.Sprintf("host is %q: it must be NAME%s", host, trail.ProbeDomain))
	}
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	request := (&http.Request{
		Method: http.MethodGet, Host: host, Header: make(http.Header),
		URL: &url.URL{Scheme: "http", Host: s.probed, Path: "/" + strings.TrimPrefix(r.URL.Path, trail.ProbePath)},
	}).WithContext(ctx)
	trail.Once(request)
	body, err := json.Marshal(ask(s.fresh, request))
	if err != nil { // a status and two strings can always be marshalled
		return refusal(http.StatusInternalServerError, err.Error())
	}
	return answer{code: http.StatusOK, header: jsonHeader, body: append(body, '\n')}
}

// ask sends request, and returns its answer or its error.
func ask(by http.RoundTripper, request *http.Request) trail.Probe {
	response, err := by.RoundTrip(request)
	if err != nil {
		return trail.Probe{Error: err.Error()}
	}
	defer response.Body.Close()
	body, err := readAtMost(response.Body, response.ContentLength, trail.MaxProbeBody)
	if err != nil {
		return trail.Probe{Error: fmt.Sprintf("reading the answer of status %d: %v", response.StatusCode, err)}
	}
	return trail.Probe{Status: response.StatusCode, Body: strings.ToValidUTF8(string(body), "")}
}
