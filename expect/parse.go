package expect

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hellochaos/hellochaos/spelling"
)

// Forms are the accepted forms, for help texts and errors. In front of each, a phase may stand: "retry: edge fails <= 0.1".
var Forms = []string{"edge fails <= 0.01", "any fails <= 0.1", "SERVICE fails <= 0.05", "SERVICE VERSION share = 0.2 ± 0.05",
	"SERVICE tries per request <= 2", "worst case tries <= 16", "SERVICE worst case tries <= 4", "p99 <= 250ms", "REQUESTS reaches SERVICE VERSION",
	"REQUESTS to SERVICE VERSION share = 0.2 ± 0.05", "REQUESTS to SERVICE fails <= 0.05"}

// LoadForms are the accepted forms of ParseLoad.
var LoadForms = []string{"p99 <= 250ms", "errors <= 0.5%", "rate >= 990/s", "5xx <= 0.1%", "TARGET p99 <= 250ms", "PHASE: p99 <= 250ms"}

// words are those of the language.
var words = []string{"edge", "any", "fails", "share", "tries", "per", "request", "worst", "case", "reaches", "to", "within"}

// comparisons are what stands between a quantity and its limit.
const comparisons = "<=, <, >=, >, =, '= 0.2 ± 0.05' or 'within 0.15..0.25'"

// loadWords are those of an attack.
var loadWords = []string{"errors", "rate", "p50", "p90", "p99", "within"}

// Parse reads an expectation of a run. The error names what was read, what is accepted, and the nearest word.
func Parse(text string) (Expectation, error) {
	return read(text, language{Forms, words, (*parser).subject})
}

// ParseLoad reads an expectation of an attack, which knows no services, and has LoadForms. In front of what is compared a target may stand, and
// before it a phase.
func ParseLoad(text string) (Expectation, error) {
	return read(text, language{LoadForms, loadWords, (*parser).loadSubject})
}

// language is what can be expected of something.
type language struct {
	forms, words []string
	subject      func(*parser, []token) (unit, error)
}

func read(text string, in language) (Expectation, error) {
	all, err := tokens(text)
	if err != nil {
		return Expectation{}, err
	}
	p := &parser{Expectation: Expectation{Text: strings.TrimSpace(text)}, rest: all, language: in}
	if err := p.parse(); err != nil {
		return Expectation{}, fmt.Errorf("%s: %w", p.Text, err)
	}
	return p.Expectation, nil
}

// parser reads the tokens of an expectation from left to right.
type parser struct {
	Expectation
	language
	rest []token
}

func (p *parser) parse() error {
	p.phase()
	end := slices.IndexFunc(p.rest, func(t token) bool {
		return t.sign || t.is("within") || t.is("reaches") && slices.Contains(p.words, "reaches")
	})
	switch {
	case len(p.rest) == 0:
		return fmt.Errorf("nothing is expected: %s", p.accepted())
	case end < 0:
		return fmt.Errorf("%s is not compared with anything%s: %s", shown(p.rest), p.near(p.rest), p.accepted())
	case end == 0:
		return fmt.Errorf("nothing stands in front of %q: %s", p.rest[0].text, p.accepted())
	}
	subject := p.rest[:end]
	p.rest = p.rest[end:]
	if p.rest[0].is("reaches") {
		return p.reaches(subject)
	}
	if to := slices.IndexFunc(subject, func(t token) bool { return t.is("to") }); to > 0 && slices.Contains(p.words, "to") {
		p.Requests = joined(subject[:to])
		subject = subject[to+1:]
	}
	unit, err := p.language.subject(p, subject)
	if err != nil {
		return err
	}
	if p.Requests != "" && p.Kind != Share && p.Kind != Fails {
		return fmt.Errorf("of the calls of some requests only 'fails' and 'share' can be expected, not %s: %s", shown(subject), p.accepted())
	}
	return p.band(unit)
}

// phase reads the phase in front: "retry:", "500..2000:", or quoted.
func (p *parser) phase() {
	at := 0
	ramp := len(p.rest) > 2 && !p.rest[0].quoted && p.rest[1].sign && p.rest[1].text == ".."
	if ramp {
		at = 2
	}
	switch {
	case len(p.rest) > 1 && p.rest[0].quoted && p.rest[1].is(":"):
		p.Phase, p.rest = p.rest[0].text, p.rest[2:]
	case len(p.rest) > at && !p.rest[at].quoted && !p.rest[at].sign:
		if name, ok := strings.CutSuffix(p.rest[at].text, ":"); ok && name != "" {
			if ramp {
				name = p.rest[0].text + ".." + name
			}
			p.Phase, p.rest = name, p.rest[at+1:]
		}
	}
}

// reaches reads "jason reaches reviews v2".
func (p *parser) reaches(subject []token) error {
	p.Kind, p.Requests, p.Band = Reaches, joined(subject), Band{Lo: 1, Hi: 1}
	to := p.rest[1:]
	if len(to) < 1 || len(to) > 2 || slices.ContainsFunc(to, func(t token) bool { return t.sign }) {
		return fmt.Errorf("%s must be a service, or a service and its version, as in 'jason reaches reviews v2'", shown(to))
	}
	p.Service = to[0].text
	if len(to) == 2 {
		p.Version = to[1].text
	}
	return nil
}

// unit is what a limit is counted in.
type unit int

const (
	shares unit = iota
	tries
	seconds
	perSecond
)

// subject reads what is compared.
func (p *parser) subject(s []token) (unit, error) {
	ends := func(with ...string) bool {
		from := len(s) - len(with)
		for i, word := range with {
			if from < 0 || !s[from+i].is(word) {
				return false
			}
		}
		return true
	}
	switch n := len(s); {
	case n == 2 && ends("edge", "fails"):
		p.Kind = EdgeFails
	case n == 2 && ends("any", "fails"):
		p.Kind = AnyFails
	case n == 2 && ends("fails"):
		p.Kind, p.Service = Fails, s[0].text
	case n == 3 && ends("share"):
		p.Kind, p.Service, p.Version = Share, s[0].text, s[1].text
	case n == 4 && ends("tries", "per", "request"):
		p.Kind, p.Service = Tries, s[0].text
		return tries, nil
	case n == 3 && ends("worst", "case", "tries"):
		p.Kind = WorstTries
		return tries, nil
	case n == 4 && ends("worst", "case", "tries"):
		p.Kind, p.Service = WorstTries, s[0].text
		return tries, nil
	case n == 1 && !s[0].quoted && quantile(s[0].text) > 0:
		p.Kind, p.Quantile = Latency, quantile(s[0].text)
		return seconds, nil
	default:
		return 0, fmt.Errorf("%s is nothing that can be expected%s: %s", shown(s), p.near(s), p.accepted())
	}
	return shares, nil
}

// loadSubject reads what is compared of an attack: a target, where one is named, and a quantity.
func (p *parser) loadSubject(s []token) (unit, error) {
	last := s[len(s)-1]
	p.Target = joined(s[:len(s)-1])
	switch {
	case last.quoted:
	case last.text == "errors":
		p.Kind = Errors
		return shares, nil
	case last.text == "rate":
		p.Kind = Rate
		return perSecond, nil
	case quantile(last.text) > 0:
		p.Kind, p.Quantile = Latency, quantile(last.text)
		return seconds, nil
	case isStatus(last.text):
		p.Kind, p.Status = Statuses, last.text
		return shares, nil
	}
	return 0, fmt.Errorf("%s is nothing that can be expected%s: %s", shown(s), p.near(s), p.accepted())
}

// isStatus reports whether a word is a status, or a class of them: "404", "5xx".
func isStatus(word string) bool {
	return len(word) == 3 && word[0] >= '1' && word[0] <= '5' && (word[1:] == "xx" || strings.Trim(word[1:], "0123456789") == "")
}

// perTime reads a rate: "990/s", "3000/1m".
func perTime(text string) (float64, error) {
	number, per, ok := strings.Cut(text, "/")
	v, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil {
		return 0, fmt.Errorf("no number per time")
	}
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1" + per
	}
	interval, err := time.ParseDuration(per)
	if err != nil || interval <= 0 {
		return 0, fmt.Errorf("no time")
	}
	return v / interval.Seconds(), nil
}

// quantile reads "p99" or "p99.9"; 0 where the word is none.
func quantile(word string) float64 {
	digits, ok := strings.CutPrefix(word, "p")
	if !ok || strings.Trim(digits, "0123456789.") != "" {
		return 0
	}
	percent, err := strconv.ParseFloat(digits, 64)
	if err != nil || percent < 1 || percent > 99.999 {
		return 0
	}
	return percent / 100
}

// band reads the comparison and its limits.
func (p *parser) band(in unit) error {
	sign := p.rest[0]
	p.rest = p.rest[1:]
	first, err := p.number(in)
	if err != nil {
		return err
	}
	p.Band = Band{Lo: math.Inf(-1), Hi: math.Inf(1)}
	switch sign.text {
	case "<=", "<":
		p.Band.Hi, p.Band.Below = first, sign.text == "<"
	case ">=", ">":
		p.Band.Lo, p.Band.Above = first, sign.text == ">"
	case "=":
		p.Band.Lo, p.Band.Hi = first, first
		if p.take("±") {
			by, err := p.number(in)
			if err != nil {
				return err
			}
			p.Band.Lo, p.Band.Hi = first-by, first+by
		}
	case "within":
		if !p.take("..") {
			return fmt.Errorf("%s must be two limits, as in 'within 0.15..0.25'", shown(p.rest))
		}
		if p.Band.Hi, err = p.number(in); err != nil {
			return err
		}
		if p.Band.Lo = first; p.Band.Lo > p.Band.Hi {
			return fmt.Errorf("the first limit must not be above the second one")
		}
	default:
		return fmt.Errorf("%q is no comparison: accepted are %s", sign.text, comparisons)
	}
	if len(p.rest) > 0 {
		return fmt.Errorf("%s is left over: after the limit nothing may follow", shown(p.rest))
	}
	return p.possible(in)
}

// possible refuses an expectation that every number meets, since it could not fail.
func (p *parser) possible(in unit) error {
	most := math.Inf(1)
	if in == shares {
		most = 1
	}
	if b := p.Band; b.holds(interval(0, most)) {
		return fmt.Errorf("every number meets that, so that it could not fail")
	}
	return nil
}

// take reads a sign if it is the next token.
func (p *parser) take(sign string) bool {
	if len(p.rest) == 0 || !p.rest[0].sign || p.rest[0].text != sign {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// number reads a limit: a share such as 0.01 or 1 %, a number of tries, or a time with its unit.
func (p *parser) number(in unit) (float64, error) {
	what := map[unit]string{shares: "a share from 0 to 1, such as 0.05 or 5 %", tries: "a number of tries, such as 2 or 1.5", seconds: "a time with its unit, such as 250ms or 1.5s",
		perSecond: "a number per time, such as 990/s or 3000/1m"}[in]
	if len(p.rest) == 0 || p.rest[0].sign {
		return 0, fmt.Errorf("%s must be %s", shown(p.rest), what)
	}
	text := p.rest[0].text
	p.rest = p.rest[1:]
	if in == seconds {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return 0, fmt.Errorf("%q must be %s", text, what)
		}
		return d.Seconds(), nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if in == perSecond {
		v, err = perTime(text)
	}
	if in == shares && p.take("%") {
		v /= 100
	}
	if err != nil || !(v >= 0) || in == shares && v > 1 || math.IsInf(v, 0) { // a NaN is not at least 0
		return 0, fmt.Errorf("%q must be %s", text, what)
	}
	return v, nil
}

// near suggests a word of the language for the first word that is like one and is none.
func (p *parser) near(read []token) string {
	for _, t := range read {
		if t.quoted || t.sign || slices.Contains(p.words, t.text) {
			continue
		}
		if suggestion := spelling.DidYouMean(t.text, p.words); suggestion != "" {
			return suggestion
		}
	}
	return ""
}

func (p *parser) accepted() string { return "accepted are '" + strings.Join(p.forms, "', '") + "'" }

// joined is the text of some tokens with a blank between each two.
func joined(all []token) string {
	var texts []string
	for _, t := range all {
		texts = append(texts, t.text)
	}
	return strings.Join(texts, " ")
}

// shown is the text of some tokens for an error.
func shown(all []token) string {
	if len(all) == 0 {
		return "the end"
	}
	return strconv.Quote(joined(all))
}
