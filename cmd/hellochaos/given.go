package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/spelling"
)

// checkGiven refuses a flag that is given twice, because pflag would silently take the last value. It also refuses an empty
// value, because that mostly comes from a variable of a script that is not set, and the commands would treat the flag as absent.
func checkGiven(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.DisableFlagParsing {
		return nil // cobra reports what is wrong
	}
	cmd.InheritedFlags() // as a side effect, cobra adds them to cmd.Flags
	cmd.InitDefaultHelpFlag()
	set := cmd.Flags()
	set.ParseErrorsAllowlist = pflag.ParseErrorsAllowlist(cmd.FParseErrWhitelist)
	times := map[string]int{}
	var problems []error
	_ = set.ParseAll(rest, func(flag *pflag.Flag, value string) error { // cobra reports the errors of parsing
		times[flag.Name]++
		name, _ := pflag.UnquoteUsage(flag)
		if _, list := flag.Value.(pflag.SliceValue); times[flag.Name] == 2 && !list {
			problems = append(problems, fmt.Errorf("--%s: given more than once: give the flag only once", flag.Name))
		}
		if text := flag.Value.Type() == "string" || flag.Value.Type() == "stringArray"; text && value == "" {
			if name == "string" || name == "stringArray" {
				name = "value"
			}
			problems = append(problems, fmt.Errorf("--%s \"\": the value is empty: give a %s, or leave the flag out", flag.Name, name))
		}
		return nil
	})
	if len(problems) == 0 || times["help"] > 0 {
		return nil
	}
	return fmt.Errorf("%s:\n%w", cmd.Name(), errors.Join(problems...))
}

// nearestFlag suggests one of a command's flags for a misspelt name, both without dashes.
func nearestFlag(set *pflag.FlagSet, name string) string {
	var names []string
	set.VisitAll(func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) })
	return spelling.DidYouMean("--"+name, names)
}
