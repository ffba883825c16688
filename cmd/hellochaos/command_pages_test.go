package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var updatePages = flag.Bool("update", false, "write the pages of docs/commands")

// docs/commands has a page for each command, made from the command itself: what it does, its flags, and the pages that show it at work.
func TestCommandPages(t *testing.T) {
	folder := filepath.Join("..", "..", "docs", "commands")
	root := rootCommand(nil)
	pages := map[string]string{"README.md": overview(root)}
	for _, command := range root.Commands() {
		if command.Name() != "help" && command.Name() != "completion" {
			pages[command.Name()+".md"] = page(t, command)
		}
	}
	if *updatePages {
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range there {
		if pages[file.Name()] == "" {
			t.Errorf("docs/commands/%s is the page of no command", file.Name())
		}
	}
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("docs/commands/%s is not what the command says now (%v): go test ./cmd/hellochaos -run TestCommandPages -update", name, err)
		}
	}
}

// made stands at the top of each page.
const made = "<!-- Made from the commands: go test ./cmd/hellochaos -run TestCommandPages -update -->\n"

// overview is the page that lists all commands.
func overview(root *cobra.Command) string {
	var text strings.Builder
	text.WriteString(made + "# The commands\n\n| command | what it does |\n| --- | --- |\n")
	for _, command := range root.Commands() {
		if command.Name() != "help" && command.Name() != "completion" {
			fmt.Fprintf(&text, "| [hellochaos %s](%s.md) | %s |\n", command.Name(), command.Name(), cell(command.Short))
		}
	}
	text.WriteString("\n`hellochaos help COMMAND` prints the same in a terminal, and `hellochaos completion SHELL` prints what completes commands and flags in bash, fish,\npowershell and zsh. [ci.md](../ci.md) explains the exit codes.\n")
	return text.String()
}

// page is the page of a command.
func page(t *testing.T, command *cobra.Command) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%s# hellochaos %s\n\n%s\n\n```sh\n%s\n```\n", made, command.Name(), strings.TrimSpace(cmp.Or(command.Long, sentence(command.Short))), command.UseLine())
	if command.Example != "" {
		fmt.Fprintf(&text, "\nExamples:\n\n```sh\n%s\n```\n", strings.ReplaceAll("\n"+command.Example, "\n  ", "\n")[1:])
	}
	if command.Flags().HasAvailableFlags() {
		text.WriteString("\n| flag | default | meaning |\n| --- | --- | --- |\n")
		command.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Name != "help" {
				fmt.Fprintln(&text, row(f))
			}
		})
	}
	if shown := mentions(t, command.Name()); len(shown) > 0 {
		fmt.Fprintf(&text, "\nMore about it: %s.\n", strings.Join(shown, ", "))
	}
	return text.String()
}

func sentence(short string) string { return strings.ToUpper(short[:1]) + short[1:] + "." }

// row is the row of a flag: its names and kind of value, its default, and its meaning.
func row(f *pflag.Flag) string {
	kind, usage := pflag.UnquoteUsage(f)
	name := "`--" + strings.TrimSpace(f.Name+" "+kind) + "`"
	if f.Shorthand != "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	value := ""
	if f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" && f.DefValue != "0" {
		value = "`" + f.DefValue + "`"
	}
	return fmt.Sprintf("| %s | %s | %s |", name, value, cell(usage))
}

// cell is a text as a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(text)
}

// mentions are links to the pages that have the command in a line of their own or in a sentence, those with most of it first.
func mentions(t *testing.T, name string) (links []string) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, file := range pages {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text)+" ", "hellochaos "+name+" ") + strings.Count(string(text), "hellochaos "+name+"`"); n > 0 {
			link := fmt.Sprintf("[%s](../%s)", filepath.Base(file), filepath.Base(file))
			links, count[link] = append(links, link), n
		}
	}
	slices.SortFunc(links, func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	return links[:min(len(links), 4)]
}
