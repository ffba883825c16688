package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hellochaos/hellochaos/printable"
	"github.com/hellochaos/hellochaos/spelling"
)

// checkCommand refuses a first word that names no command, before its flags are parsed: they would be taken for those of the program,
// which has none, so that the flag would be called wrong instead of the word.
func checkCommand(root *cobra.Command, args []string) error {
	if len(args) > 1 && strings.HasPrefix(args[0], "-") { // such as -c 100 URL, which users of wrk type
		if err := loadElsewhere(args); err != nil {
			return err
		}
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], "__") { // Cobra's own commands begin with __
		return nil
	}
	if cmd, _, err := root.Find(args); err != nil || cmd != root {
		return nil // cobra reports the error
	}
	return noCommand(root, args)
}

// noCommand says which commands there are, and where the flags are those of 'verify', how to type that.
func noCommand(root *cobra.Command, args []string) error {
	names := available(root)
	if err := loadElsewhere(args[:1]); err != nil {
		return err
	}
	if here, known := otherCommands[args[0]]; known {
		return fmt.Errorf("no command %q: %s", args[0], here)
	}
	near := spelling.DidYouMean(args[0], names)
	text := fmt.Sprintf("no command %q%s: the commands are %s", args[0], near, strings.Join(names, ", "))
	takes := strings.Contains(near, `"verify"`) || strings.Contains(near, `"explain"`) // these have the flags
	if !takes && slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-f") || arg == "--filename" || arg == "--graph" }) {
		words := []string{"hellochaos", "verify"}
		for _, arg := range args[1:] {
			words = append(words, printable.Word(arg))
		}
		text += "; manifests of your own are proved by: " + strings.Join(words, " ")
	}
	return fmt.Errorf("%s", text)
}

// instead suggests a flag for one that a command does not have, both without dashes: one of its own that is spelt alike, or else that
// 'verify' has the flag.
func instead(cmd *cobra.Command, name string) string {
	if near := nearestFlag(cmd.Flags(), name); near != "" {
		return near
	}
	return ofVerify(cmd, name)
}

// ofVerify says that 'verify' has a flag, by its name or its letter, that a command does not have; empty where it has none either.
func ofVerify(cmd *cobra.Command, name string) string {
	verify, _, err := cmd.Root().Find([]string{"verify"})
	if err != nil || verify == cmd {
		return ""
	}
	flag := verify.Flags().Lookup(name)
	if len(name) == 1 {
		flag = verify.Flags().ShorthandLookup(name)
	}
	if flag == nil {
		return ""
	}
	dashes := "--" + flag.Name
	if len(name) == 1 {
		dashes = "-" + name
	}
	value, _ := pflag.UnquoteUsage(flag)
	return fmt.Sprintf(" ('hellochaos verify %s' has this flag)", strings.TrimSpace(dashes+" "+strings.ToUpper(value)))
}

// onlyFlags refuses the arguments of a command that reads manifests by -f alone, and says how they are named there. files are those that
// the command line names with -f already: a shell makes several words of -f *.yaml, of which the flag takes the first.
func onlyFlags(name string, files, args []string) error {
	if len(args) == 0 {
		return nil
	}
	for _, arg := range args {
		if _, err := os.Stat(arg); err != nil { // the rest of a value that was not quoted, perhaps
			return fmt.Errorf("%s: %q: each word must be a flag or the value of one: name manifests with -f, and quote a value that has blanks", name, arg)
		}
	}
	return fmt.Errorf("%s: %s: each file or folder with manifests needs -f before it: %s", name, strings.Join(args, ", "), command(name, slices.Concat(files, args)))
}

// command is a command line that reads manifests.
func command(name string, files []string) string {
	text := "hellochaos " + name
	for _, file := range files {
		text += " -f " + printable.Word(file)
	}
	return text
}
