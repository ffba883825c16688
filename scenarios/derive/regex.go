package derive

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

const (
	// mostRepeats bounds how often a part of an expression is repeated in an example: it is the most that an expression can ask for.
	mostRepeats = 1000
	// mostMatching is how many strings are tried for an expression.
	mostMatching = 4
)

// matching are strings that a regular expression matches as a whole, the shortest first. Where none is found, it is the expression itself,
// which then meets nothing.
func matching(expression string) (all []string) {
	parsed, err := syntax.Parse(expression, syntax.Perl)
	whole, wrong := regexp.Compile(`\A(?:` + expression + `)\z`)
	if err != nil || wrong != nil {
		return []string{expression}
	}
	for more := range mostMatching {
		var text strings.Builder
		example(&text, parsed, more)
		if one := text.String(); whole.MatchString(one) && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return []string{expression}
	}
	return all
}

// example writes a string that an expression matches, but for its assertions: each part as seldom as it may come, and more times beyond.
func example(to *strings.Builder, e *syntax.Regexp, more int) {
	times := 1
	switch e.Op {
	case syntax.OpLiteral:
		to.WriteString(string(e.Rune))
		return
	case syntax.OpCharClass:
		to.WriteRune(printed(e.Rune, more))
		return
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		to.WriteByte('a')
		return
	case syntax.OpAlternate:
		example(to, e.Sub[min(more, len(e.Sub)-1)], more)
		return
	case syntax.OpQuest:
		times = min(more, 1)
	case syntax.OpStar:
		times = more
	case syntax.OpPlus:
		times = 1 + more
	case syntax.OpRepeat:
		if times = e.Min + more; e.Max >= 0 {
			times = min(times, e.Max)
		}
		times = min(times, mostRepeats)
	}
	for range times {
		for _, part := range e.Sub {
			example(to, part, more)
		}
	}
}

// printed is a character of a class, given as pairs of first and last ones: a letter, a digit or a sign where it has one. more is how many
// of these come before it, as far as there are so many.
func printed(class []rune, more int) rune {
	var all []rune
	for _, wanted := range [][2]rune{{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'!', '~'}} {
		for i := 0; i+1 < len(class); i += 2 {
			for c := max(class[i], wanted[0]); c <= min(class[i+1], wanted[1]) && len(all) <= more; c++ {
				all = append(all, c)
			}
		}
	}
	switch {
	case len(all) > 0:
		return all[len(all)-1]
	case len(class) == 0:
		return 'a'
	}
	return class[0]
}
