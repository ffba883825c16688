package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// readsOthers marks the commands that users of other load generators type: attack and report. Its value has a line for each flag of the command
// line that they do not have.
const readsOthers = "flags of others"

// understand makes the words of a command that has the mark readsOthers those that pflag reads: a long name with one dash, as vegeta and fortio
// have it, gets two. Flags that the command does not have are taken out, with their values, and noted at the mark with what to type, so that the
// command can tell of them together with all other problems.
func understand(root *cobra.Command, args []string) []string {
	cmd, rest, err := root.Find(args)
	if err != nil || len(args) == 0 || len(rest) != len(args)-1 {
		return args // cobra reports the error
	}
	if _, marked := cmd.Annotations[readsOthers]; !marked {
		return args
	}
	cmd.InitDefaultHelpFlag()
	w := &foreignWords{cmd: cmd, set: cmd.Flags(), rest: rest}
	for len(w.rest) > 0 && w.rest[0] != "--" {
		w.next()
	}
	cmd.Annotations[readsOthers] = strings.Join(w.unknown, "\n")
	return append(append([]string{args[0]}, w.kept...), w.rest...)
}

// foreignWords are the words of a command line, which are read from left to right.
type foreignWords struct {
	cmd           *cobra.Command
	set           *pflag.FlagSet
	rest          []string
	kept, unknown []string
}

// next reads a word and, if it is a flag, its value.
func (w *foreignWords) next() {
	word := w.rest[0]
	w.rest = w.rest[1:]
	if len(word) < 2 || word[0] != '-' {
		w.kept = append(w.kept, word)
		return
	}
	typed, value, joined := strings.Cut(word, "=")
	name := strings.TrimLeft(typed, "-")
	short := !strings.HasPrefix(word, "--")
	if flag := w.set.Lookup(name); flag != nil && len(name) > 1 {
		w.keep("--"+strings.TrimLeft(word, "-"), joined || flag.NoOptDefVal != "")
		return
	}
	if other := otherTool("--" + name); other != nil && len(name) > 1 {
		w.tell(typed, value, joined, other)
		return
	}
	if !short {
		w.refuse(word, w.set, joined)
		return
	}
	letter := word[1:2]
	if flag := w.set.ShorthandLookup(letter); flag != nil {
		w.keep(word, len(word) > 2 || flag.NoOptDefVal != "")
		return
	}
	if other := otherTool("-" + letter); other != nil {
		w.tell("-"+letter, strings.TrimPrefix(word[2:], "="), len(word) > 2, other)
		return
	}
	w.refuse(word, w.set, joined)
}

// keep keeps a flag, and the word after it where that is its value.
func (w *foreignWords) keep(word string, whole bool) {
	w.kept = append(w.kept, word)
	if !whole && len(w.rest) > 0 {
		w.kept, w.rest = append(w.kept, w.rest[0]), w.rest[1:]
	}
}

// tell notes what hellochaos has for a flag of another tool.
func (w *foreignWords) tell(typed, value string, joined bool, other *otherFlag) {
	if !joined && !other.bare {
		value = w.value()
	}
	w.unknown = append(w.unknown, fmt.Sprintf("%s: hellochaos has %s", typed, other.saying(value)))
}

// refuse notes a flag that no tool has.
func (w *foreignWords) refuse(word string, set *pflag.FlagSet, joined bool) {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	near := nearestFlag(set, name)
	if near == "" {
		near = ofVerify(w.cmd, name)
	}
	w.unknown = append(w.unknown, fmt.Sprintf("unknown flag: %s%s", word, near))
	if !joined {
		w.value()
	}
}

// value takes the word after an unknown flag for its value, unless it is a flag or an address.
func (w *foreignWords) value() (value string) {
	if len(w.rest) > 0 && !strings.HasPrefix(w.rest[0], "-") && !strings.Contains(w.rest[0], "://") {
		value, w.rest = w.rest[0], w.rest[1:]
	}
	return value
}

// foreign is the error of the flags that a command does not have; nil where the command line has none.
func foreign(cmd *cobra.Command) error {
	if text := cmd.Annotations[readsOthers]; text != "" {
		return errors.New(text)
	}
	return nil
}

// loadElsewhere says, for the words of a command that sends no load to addresses, by which one a user of k6 or wrk does that; nil where the
// words are about something else.
func loadElsewhere(words []string) error {
	for _, word := range words {
		if strings.HasPrefix(word, "http://") || strings.HasPrefix(word, "https://") {
			return fmt.Errorf("%s: load on an address is sent by: hellochaos attack %s", word, word)
		}
		if err := noScript(word); err != nil {
			return err
		}
	}
	return nil
}

// noScript is the error of a word that names a script of k6 or wrk; nil for any other word.
func noScript(word string) error {
	if !strings.HasSuffix(word, ".js") && !strings.HasSuffix(word, ".lua") {
		return nil
	}
	return fmt.Errorf("%s: hellochaos runs no scripts: 'hellochaos attack URL' sends load to an address, or to those of --targets FILE, and --expect says what must hold (docs/attack.md)", word)
}

// isPiped reports whether standard input is a pipe or a file, which may have what the command line does not name. Neither a terminal nor
// /dev/null is one.
func isPiped(stdin io.Reader) bool {
	file, ok := stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && (info.Mode()&os.ModeNamedPipe != 0 || info.Mode().IsRegular())
}
