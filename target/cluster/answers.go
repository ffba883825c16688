package cluster

import (
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/hellochaos/hellochaos/service/trail"
)

// mostAnswer is how many bytes are read at most of an answer that comes from a pod. The longest answer that a run needs is a
// recording of spans; the counters of a service and the statistics of a proxy take a few KiB.
const mostAnswer = 2 * trail.MaxRecordingBytes

// fromPod matches the paths at which the API server only passes on what a pod or a Service answers, or a log.
var fromPod = regexp.MustCompile(`/(pods|services)/[^/]+/(proxy|log)(/|$)`)

// fromAnywhere matches all paths.
var fromAnywhere = regexp.MustCompile("")

// boundedAnswers limits the size of the answers to requests for these paths, whatever their status, since client-go reads each
// answer to its end. A pod's program may be anybody's, and must not be able to fill this process's memory.
type boundedAnswers struct {
	base  http.RoundTripper
	paths *regexp.Regexp
}

// RoundTrip implements http.RoundTripper. A log that is followed has no end, and whoever follows it bounds its lines.
func (b boundedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.base.RoundTrip(r)
	if err == nil && b.paths.MatchString(r.URL.Path) && r.URL.Query().Get("follow") != "true" {
		response.Body = &boundedBody{response.Body, mostAnswer}
	}
	return response, err
}

// boundedBody is a body that returns an error when more than left bytes are read from it.
type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), fmt.Errorf("the answer has more than %d bytes, and no more than that are read", mostAnswer)
	}
	b.left -= int64(n)
	return n, err
}
