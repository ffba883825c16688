// Package share has several processes send one attack, each a share of its requests: what they are told (Order), what they write (Line), how
// they work (Work), and how they are directed (Team). It knows plans and observations of package attack; it must not know how processes are
// started, and what else is counted of their observations.
package share

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hellochaos/hellochaos/attack"
)

// OrderForm is the version of what workers are told. A worker refuses every other one.
const OrderForm = "hellochaos order 1"

// Files of the folder in which workers find what they are told: PlanFile from the beginning, the others when it is time for them.
const (
	PlanFile  = "plan.gz" // an Order as JSON, compressed by gzip
	BeginFile = "begin"   // a JSON list with the instant at which each worker begins, by its own clock, in nanoseconds since 1970
	StopFile  = "stop"    // the number of the first request that is not sent any more, in decimal digits
)

// Order is what all workers of an attack are told.
type Order struct {
	Form string `json:"form"`
	// Plan is the whole attack, of which each worker sends a share, without its TLS.
	Plan   attack.Plan `json:"plan"`
	Shares int         `json:"shares"`
	// TLS says whom https is spoken with; nil: the plan needs none.
	TLS *TLS `json:"tls,omitempty"`
	// Each worker says what became of every request (Observations), or else what it has counted (Line.Tally), for which TargetOf has the target of
	// each cohort.
	Observations bool  `json:"observations"`
	TargetOf     []int `json:"targetOf,omitempty"`
	// Reach has each worker open a connection to every host before it says that it is ready.
	Reach bool `json:"reach"`
}

// TLS is whom connections trust, and their own certificate, in PEM form.
type TLS struct {
	Insecure    bool   `json:"insecure,omitempty"`
	Authorities []byte `json:"authorities,omitempty"` // none: those of the system
	Certificate []byte `json:"certificate,omitempty"`
	Key         []byte `json:"key,omitempty"`
}

// Config is the form in which a plan has it.
func (t *TLS) Config() (*tls.Config, error) {
	if t == nil {
		return &tls.Config{}, nil
	}
	c := &tls.Config{InsecureSkipVerify: t.Insecure} // where the user asks for it
	if len(t.Authorities) > 0 {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(t.Authorities) {
			return nil, errors.New("the certificates of the authorities cannot be read")
		}
	}
	if len(t.Certificate) > 0 {
		pair, err := tls.X509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Longest is how long the workers send at most, from their start until the last answer.
func (o *Order) Longest() time.Duration {
	p := &o.Plan
	sending := p.Closed
	if sending == 0 {
		sending = time.Duration(float64(p.Requests) / p.Rate * float64(time.Second))
	}
	return sending + max(p.Grace, sending/10) + p.Timeout + time.Second
}

// Encode is the order as workers find it in PlanFile.
func (o *Order) Encode() ([]byte, error) {
	told := *o
	told.Form, told.Plan.TLS = OrderForm, nil
	text, err := json.Marshal(&told)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	err = z.Close()
	return packed.Bytes(), err
}

// mostUnpacked bounds what DecodeOrder reads.
const mostUnpacked = 1 << 30

// DecodeOrder reads what Encode returns. It accepts only a plan of which Run begins to send every share.
func DecodeOrder(packed []byte) (*Order, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", PlanFile, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, mostUnpacked))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", PlanFile, err)
	}
	o := &Order{}
	if err := json.Unmarshal(text, o); err != nil {
		return nil, fmt.Errorf("%s: %w", PlanFile, err)
	}
	if o.Form != OrderForm {
		return nil, fmt.Errorf("%s: is of the form %q, and this program reads %q: the workers' program must be of the same version as the command", PlanFile, o.Form, OrderForm)
	}
	if o.Plan.TLS, err = o.TLS.Config(); err != nil {
		return nil, fmt.Errorf("%s: %w", PlanFile, err)
	}
	if o.Shares < 1 {
		return nil, fmt.Errorf("%s: has %d shares", PlanFile, o.Shares)
	}
	return o, o.Plan.Check()
}

// of is the plan of one worker.
func (o *Order) of(index int, begin time.Time) attack.Plan {
	p := o.Plan
	p.Part, p.Parts, p.Begin = index, o.Shares, begin
	p.Connections = (p.Connections + o.Shares - 1) / o.Shares // its share of those in flight
	return p
}
