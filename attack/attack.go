// Package attack sends load at planned times, decodes each answer into an observation, and tallies
// observations in constant memory. It reads Vegeta's files of targets, and reads and writes its files of results. It
// knows trails and clocks; it must not know manifests, meshes, statistics or verdicts.
//
// A loop of its own sends the requests and reads the answers (docs/performance.md says what that saves). It knows when every
// request is due, so that lag and unsent requests are counted instead of vanishing. It never sends a request twice, names every
// request, and lets go of all of them at once when an attack is aborted. Observations come in planned order whatever order the
// answers came in, so that whoever decides on them decides the same on the same answers.
package attack

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Bounds of what an attack may be asked for.
const (
	MinRate        = 0.01 // requests a second, of a command line
	MaxRate        = 100_000.0
	MaxRequests    = 10_000_000
	MaxConnections = 10_000
	MinDuration    = time.Millisecond // of the sending of one phase, and of the timeout of one request
	MaxDuration    = time.Hour
	MaxTimeout     = time.Minute    // so that every latency lies below Overflow
	MaxSending     = 24 * time.Hour // that a plan may take, Requests at Rate
	// maxAnswer is how many bytes of an answer are kept; the rest is read and thrown away. A trail of one byte too many
	// must still be seen as one.
	maxAnswer = trail.MaxBytes + 1
)

// DefaultTimeout of one request.
const DefaultTimeout = 30 * time.Second

// Options are the user's own limits of an attack; a zero is "as the stage plans it".
type Options struct {
	Rate        float64       // requests a second
	Duration    time.Duration // the longest that one phase may send
	MaxRequests int           // the most requests of one phase
	Connections int           // the most requests in flight
	Timeout     time.Duration // of one request, with its body; never zero when it comes from Flags
}

// Plan is one attack: what to send, how often, in which planned order. Request n is due n/Rate seconds after the
// beginning.
type Plan struct {
	URL string // where the requests of cohorts go that have no URL of their own
	// TLS is how connections to an URL with "https://" are made: whom they trust, and the certificate that they have themselves. They ask
	// for the host of the requests (SNI), which the server's certificate must have, and not for that of the URL. nil: they ask for the
	// host of the URL, and trust the system's certificates.
	TLS      *tls.Config `json:"-"` // as JSON, a plan has whom to trust in a form of its own (share.TLS)
	Requests int         // how many are planned, numbered from 0; 1 to MaxRequests
	Rate     float64     // requests a second; above 0, at most MaxRate
	// Cohorts share the requests as Sequence says. At least one.
	Cohorts []Cohort
	// Sequence has a slot for each request. Nil: the cohorts take turns, and each request has its own number.
	Sequence []Slot
	// Name goes before the series and the number in trail.HeaderRequest: "1/retry" makes "1/retry/17", and "1/retry/p/17" in
	// the series "p".
	Name        string
	Connections int           // the most requests in flight; 1 to MaxConnections
	Timeout     time.Duration // of one request, with its body; above 0, at most MaxTimeout
	// Lead is how many requests more belong to the attack when observe stops it: with a lead above what is in flight, the
	// same stop sends the same requests, whatever the machine's pace.
	Lead int
	// Grace is how long sending may go on after its planned end, at least 20 ms; 0: a quarter of a second, or a tenth of the
	// planned time where that is more.
	Grace time.Duration
	// Bare sends the requests as the cohorts have them, and nothing more: no name in trail.HeaderRequest, and no Accept. The answers of a bare
	// plan have no trails, and their bodies are counted (Observation.BytesIn) and not kept.
	Bare bool
	// Fresh opens a connection for each request, and closes it afterwards.
	Fresh bool
	// HTTP2 sends the requests by HTTP/2: over TLS as agreed with the server, else without asking before (h2c, with prior knowledge). Then Fresh
	// is not possible, since the requests share connections.
	HTTP2 bool
	// Resolve has the address to connect to, in place of a host and port: "shop.example:443" is "127.0.0.1:8443".
	Resolve map[string]string
	// Phases are the schedule in place of Rate, which is then their mean rate. Requests is the sum of theirs.
	Phases []Phase
	// Seed decides the draws of phases with Poisson.
	Seed uint64
	// Part is the share of the requests that this process sends: those whose number leaves the rest Part when it is divided by Parts. 0 Parts: all.
	Part, Parts int
	// Begin is when the attack begins, so that several processes begin at one instant; zero: at once.
	Begin time.Time
	// Closed is how long a plan without a schedule sends; 0: it has one. Then a request leaves as soon as fewer than Connections wait for their
	// answers: a closed loop, in which a slow answer delays the requests after it. Requests is how many leave at most.
	Closed time.Duration
	// Trace gives every request the id of a trace of its own (TraceID), as B3 headers that leave it to the mesh to sample.
	Trace bool
}

// Slot says which request is sent when its turn comes.
type Slot struct {
	Cohort int32 // index of Plan.Cohorts
	Number int32 // in the series of the cohort, which is part of its name
}

// slot is the slot of the request with that number.
func (p *Plan) slot(number int) Slot {
	if p.Sequence == nil {
		return Slot{int32(number % len(p.Cohorts)), int32(number)}
	}
	return p.Sequence[number]
}

// RequestName is the value of trail.HeaderRequest of the request with that number.
func (p *Plan) RequestName(number int) string {
	at := p.slot(number)
	return requestName(p.prefix(&p.Cohorts[at.Cohort]), at.Number)
}

// prefix is what the names of a cohort's requests have before the number.
func (p *Plan) prefix(c *Cohort) string {
	if c.Series == "" {
		return p.Name + "/"
	}
	return p.Name + "/" + c.Series + "/"
}

func requestName(prefix string, number int32) string {
	return prefix + strconv.Itoa(int(number))
}

// Cohort is requests that are alike but for their names.
type Cohort struct {
	Name   string
	URL    string // with path and query; empty: the plan's
	Host   string // Host header; empty: that of the URL
	Method string // empty: GET
	Header http.Header
	Body   []byte // of its requests; empty: they have none
	// Series is part of the names of its requests. Cohorts of one series must not share numbers.
	Series string
}

// readURL reads an absolute URL of HTTP.
func readURL(text string) (*url.URL, error) {
	address, err := url.Parse(text)
	if err == nil && (address.Host == "" || address.Scheme != "http" && address.Scheme != "https") {
		err = fmt.Errorf("%q must be http://host/ or https://host/", text)
	}
	return address, err
}

// CheckURL returns an error for a text that is no absolute URL of HTTP.
func CheckURL(text string) error {
	_, err := readURL(text)
	var parsing *url.Error
	if errors.As(err, &parsing) {
		return fmt.Errorf("%q must be http://host/ or https://host/: %w", text, parsing.Err)
	}
	return err
}

// MostRequests are those of a bare plan, whose requests are numbered and not listed.
const MostRequests = 1_000_000_000

// MaxLoad is how many requests an attack on addresses sends at a rate.
const MaxLoad = 100_000_000

// mostRequests is how many a plan may have.
func (p *Plan) mostRequests() int {
	if p.Bare {
		return MostRequests
	}
	return MaxRequests
}

// Check returns all problems of a plan at once, or nil: whatever it accepts, Run begins to send.
func (p Plan) Check() error {
	var problems []error
	refuse := func(format string, arguments ...any) { problems = append(problems, fmt.Errorf(format, arguments...)) }
	if _, err := readURL(p.URL); err != nil {
		refuse("URL: %w", err)
	}
	for i := range p.Cohorts {
		if _, err := readURL(p.Cohorts[i].URL); err != nil && p.Cohorts[i].URL != "" {
			refuse("Cohorts[%d].URL: %w", i, err)
		}
	}
	if most := p.mostRequests(); p.Requests < 1 || p.Requests > most {
		refuse("Requests %d: must be 1 to %d", p.Requests, most)
	}
	p.checkPhases(refuse)
	if p.Closed > 0 {
		if len(p.Phases) > 0 || p.Closed > MaxSending {
			refuse("Closed %v: must be at most %v, without Phases", p.Closed, MaxSending)
		}
	} else if !(p.Rate > 0 && p.Rate <= MaxRate) { // written so that NaN is refused
		refuse("Rate %g: must be above 0, requests a second, at most %.0f", p.Rate, MaxRate)
	} else if hours := float64(p.Requests) / p.Rate / 3600; hours > MaxSending.Hours() {
		refuse("Requests %d at Rate %g: would take %.0f hours, must be at most %.0f", p.Requests, p.Rate, hours, MaxSending.Hours())
	}
	if len(p.Cohorts) == 0 {
		refuse("Cohorts: must be at least one")
	}
	if p.Sequence != nil && len(p.Sequence) != p.Requests {
		refuse("Sequence: has %d slots, must have one for each of the %d requests", len(p.Sequence), p.Requests)
	}
	for i, at := range p.Sequence {
		if at.Cohort < 0 || int(at.Cohort) >= len(p.Cohorts) || at.Number < 0 {
			refuse("Sequence[%d]: cohort %d, number %d: must be one of the %d cohorts and not negative", i, at.Cohort, at.Number, len(p.Cohorts))
			break
		}
	}
	if p.Connections < 1 || p.Connections > MaxConnections {
		refuse("Connections %d: must be 1 to %d", p.Connections, MaxConnections)
	}
	if p.HTTP2 && p.Fresh {
		refuse("HTTP2 and Fresh: requests of HTTP/2 share connections")
	}
	if p.Parts < 0 || p.Part < 0 || p.Part > 0 && p.Part >= p.Parts {
		refuse("Part %d of %d: must be from 0 and below the number of parts", p.Part, p.Parts)
	}
	if p.Lead < 0 {
		refuse("Lead %d: must not be negative", p.Lead)
	}
	if p.Grace != 0 && p.Grace < lateAfter { // what was due for less than that is never counted as unsent
		refuse("Grace %v: must be 0 or at least %v", p.Grace, lateAfter)
	}
	if p.Timeout <= 0 || p.Timeout > MaxTimeout {
		refuse("Timeout %v: must be above 0, at most %v", p.Timeout, MaxTimeout)
	}
	if len(problems) > 0 {
		return fmt.Errorf("plan of attack %q: %w", p.Name, errors.Join(problems...))
	}
	return nil
}
