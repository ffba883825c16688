package live

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
	"github.com/hellochaos/hellochaos/target"
)

const (
	// handPrefix is what the names of requests by hand begin with.
	handPrefix = "hand/"
	// mostTries is how many tries of a request by hand are told.
	mostTries = 512
	// handTimeout is how long a request by hand may take.
	handTimeout = 30 * time.Second
	// tail is how long the last tries may end after the answer: they are told when the answer is already on its way.
	tail = 100 * time.Millisecond
)

// Sent is one request by hand, with all that it led to.
type Sent struct {
	Request string  `json:"request"`
	Status  int     `json:"status"`
	Took    float64 `json:"took"` // milliseconds
	Began   float64 `json:"began"`
	Error   string  `json:"error,omitempty"`
	Tries   []Try   `json:"tries"`
}

// Address is where the requests of what is applied now enter.
func (s *Session) Address(ctx context.Context) (target.Address, error) {
	entry, _ := s.now().plan.Entry()
	return s.mesh.Address(ctx, entry)
}

// Send sends one request as the load does, and waits for its answer. The header is that of Controls.Header; empty: none.
func (s *Session) Send(ctx context.Context, header string) (*Sent, error) {
	now := s.now()
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handTimeout)
	defer cancel()
	request, client, err := s.byHand(ctx, now, header)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	sent := &Sent{Request: request.Header.Get(trail.HeaderRequest)}
	tries := make(chan Try, mostTries)
	s.listen(sent.Request, tries)
	defer s.listen(sent.Request, nil)
	began := time.Now()
	sent.Began = s.at(began)
	response, err := client.Do(request)
	if err != nil {
		sent.Error = err.Error()
	} else {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, trail.MaxBytes)) // the tries say all that matters
		response.Body.Close()
		sent.Status = response.StatusCode
	}
	sent.Took = float64(time.Since(began).Microseconds()) / 1000
	sent.gather(tries)
	return sent, nil
}

// byHand is a request as the load sends it.
func (s *Session) byHand(ctx context.Context, now *settings, header string) (*http.Request, *http.Client, error) {
	entry, host := now.plan.Entry()
	address, err := s.mesh.Address(ctx, entry)
	if err != nil {
		return nil, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.URL+"/", nil)
	if err != nil {
		return nil, nil, err
	}
	request.Host = host
	request.Header.Set("Accept", "application/json")
	request.Header.Set(trail.HeaderRequest, s.handName())
	request.Header.Set(trail.HeaderFail, fmt.Sprint(now.controls.Fail))
	if now.controls.Hang > 0 {
		request.Header.Set(trail.HeaderHang, fmt.Sprint(now.controls.Hang))
	}
	if header != "" {
		request.Header.Set(headerName, header)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: address.TLS},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return request, client, nil
}

// handName is the name of the next request by hand.
func (s *Session) handName() string {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.hand++
	return handPrefix + strconv.FormatUint(s.seed, 10) + "/" + strconv.Itoa(s.hand)
}

// listen has the tries of a request sent to a channel; nil: not any more.
func (s *Session) listen(request string, to chan Try) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.sent[request] = to; to == nil {
		delete(s.sent, request)
	}
}

// gather takes the tries that were told, until that of the edge has ended.
func (s *Sent) gather(tries <-chan Try) {
	late := time.NewTimer(tail)
	defer late.Stop()
	for over := false; !over; {
		select {
		case t := <-tries:
			s.Tries = append(s.Tries, t)
			over = len(tries) == 0 && t.Caller == edge && (t.Status > 0 && t.Status < 500 || t.Attempt == 0)
		case <-late.C:
			over = true
		}
	}
	slices.SortStableFunc(s.Tries, func(a, b Try) int {
		switch {
		case a.Began < b.Began:
			return -1
		case a.Began > b.Began:
			return 1
		}
		return 0
	})
}
