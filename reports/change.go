package reports

// Change is what became of calls while the objects of one phase took the place of those of another, under load ('hellochaos run
// --through-change'). Proxies take new rules one by one, so a call is right where the old rules of its caller explain it or the new ones do.
type Change struct {
	// From and To are the phases whose objects were in force before and after. PutBack: To is the earlier one of them.
	From    string  `json:"from"`
	To      string  `json:"to"`
	PutBack bool    `json:"put_back,omitempty"`
	Verdict Verdict `json:"verdict" jsonschema:"enum=pass,enum=fail,enum=inconclusive"`
	// Why is a clause that says why there is no verdict; empty where there is one.
	Why string `json:"why,omitempty"`
	// Rate is the requests a second that were sent all the time. Requests were judged.
	Rate float64 `json:"rate"`
	// ByConnection: each connection to a proxy takes up new rules by itself, as those of Envoy's threads do. Old rules after new ones are then
	// wrong on one connection alone.
	ByConnection bool  `json:"by_connection,omitempty"`
	Requests     int64 `json:"requests"`
	// Applied is how long the target took to apply the objects.
	Applied float64 `json:"applied_seconds"`
	// Calls were judged: Evidence those that tell the old rules from the new ones, since only one of the two explains them; Open those that
	// a time limit may have decided.
	Calls    int64 `json:"calls"`
	Evidence int64 `json:"evidence"`
	Open     int64 `json:"open"`
	// Mixed are the requests of which one call met the old rules and another one the new ones, which is right.
	Mixed int64 `json:"mixed_requests"`
	// Lost calls are explained by neither. OldAfterNew met the old rules after their proxy (with ByConnection: on their connection) had obeyed
	// the new ones for the same host, Late
	// after all proxies were said to obey the new ones; Early met the new ones before they were applied.
	Lost        int64 `json:"lost"`
	OldAfterNew int64 `json:"old_after_new"`
	Late        int64 `json:"late"`
	Early       int64 `json:"early"`
	// Proxies are those that sent calls, by name.
	Proxies []ChangedProxy `json:"proxies,omitempty"`
	// Troubles are the first of each kind of calls that are wrong.
	Troubles []Trouble `json:"troubles,omitempty"`
	// Words say what happened and why, from this report alone.
	Words []string `json:"words,omitempty"`
}

// ChangedProxy is when the calls of one proxy met new rules.
type ChangedProxy struct {
	// Name is the app whose calls the proxy sends, on a cluster the pod, or the gateway's name. On a cluster all replicas of a gateway have one
	// name, since its answers do not say which of them they came by.
	Name string `json:"name"`
	// Old and New are how many of its calls only the old rules explain, and only the new ones.
	Old int64 `json:"old"`
	New int64 `json:"new"`
	// LastOld is when the last answer by the old rules was there, and FirstNew when the first one by the new rules was, in seconds since the
	// objects began to be applied; none where no call shows them. LastOld is 0 where the last one was there before that.
	LastOld  *float64 `json:"last_old_seconds,omitempty"`
	FirstNew *float64 `json:"first_new_seconds,omitempty"`
	// Unwatched is the longest time during the change in which the proxy may have looked up no rules: what befell it for a shorter time may
	// have gone unseen.
	Unwatched float64 `json:"unwatched_seconds"`
	// Spread is by how much a call that met the old rules was later than one to the same host that had met the new ones, at least, which is right
	// where each connection takes up rules by itself.
	Spread float64 `json:"spread_seconds,omitempty"`
}

// Trouble is calls that met what they must not while rules changed.
type Trouble struct {
	// Kind is "lost", "old rules after new ones", "old rules after the change" or "new rules before the change".
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
	// Request is the name of the first one, which the proxy From sent to the host To no later than At seconds after the objects began to be applied.
	Request string  `json:"request"`
	From    string  `json:"from"`
	To      string  `json:"to"`
	At      float64 `json:"at_seconds"`
	// Expected and Met are clauses: what the new rules say of it, and what it met. Empty where the new rules explain it.
	Expected string `json:"expected,omitempty"`
	Met      string `json:"met,omitempty"`
}

// LeastWatched is the proxy that was asked least often during the change; nil where none was.
func (c *Change) LeastWatched() (worst *ChangedProxy) {
	for i := range c.Proxies {
		if p := &c.Proxies[i]; worst == nil || p.Unwatched > worst.Unwatched {
			worst = p
		}
	}
	return worst
}

// Widest is the proxy with the largest Spread; nil where no call shows one.
func (c *Change) Widest() (widest *ChangedProxy) {
	for i := range c.Proxies {
		if p := &c.Proxies[i]; p.Spread > 0 && (widest == nil || p.Spread > widest.Spread) {
			widest = p
		}
	}
	return widest
}

// Later is the later one of the two phases in the run.
func (c *Change) Later() string {
	if c.PutBack {
		return c.From
	}
	return c.To
}

// Title names a change: "prod → retry", "retry → prod (put back)".
func (c *Change) Title() string {
	title := c.From + " → " + c.To
	if c.PutBack {
		title += " (put back)"
	}
	return title
}
