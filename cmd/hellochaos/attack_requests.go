package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"

	"github.com/hellochaos/hellochaos/attack"
	"github.com/hellochaos/hellochaos/attack/gauge"
)

// requests are the targets that the command line names.
func (f *attackFlags) requests(cmd *cobra.Command, args []string) ([]attack.Cohort, error) {
	header, headerProblem := readHeaders(f.headers)
	body, bodyProblem := f.readBody()
	problems := []error{headerProblem, bodyProblem}
	var targets []attack.Cohort
	if len(args) == 0 && f.targets == "" && isPiped(cmd.InOrStdin()) { // as vegeta does
		f.targets = "-"
		fmt.Fprintln(cmd.ErrOrStderr(), "no URL and no --targets are named: the targets are read from standard input")
	}
	switch {
	case f.targets == "" && len(args) == 1:
		problems = append(problems, checkMethod(f.method), checkURL(args[0]))
		targets = []attack.Cohort{attack.NewTarget(f.method, args[0], header, body)}
	case f.targets == "" && len(args) == 0:
		problems = append(problems, errors.New("name what to attack: a URL such as http://localhost:8080/, or --targets with a file"))
	case f.targets == "":
		problems = append(problems, fmt.Errorf("%s: name one URL; several targets stand in a file, which --targets names", strings.Join(args, " ")))
	default:
		if len(args) > 0 {
			problems = append(problems, fmt.Errorf("%s: name a URL or --targets, and not both", args[0]))
		}
		if f.given {
			problems = append(problems, errors.New("--method: is for a URL, and the targets of a file have methods of their own"))
		}
		text, name, err := readInput(f.targets, cmd.InOrStdin())
		if err != nil {
			problems = append(problems, fmt.Errorf("--targets %s: %w", f.targets, err))
			break
		}
		targets, err = attack.ReadTargets(name, text, body, header)
		problems = append(problems, err)
	}
	return targets, errors.Join(problems...)
}

// readInput reads a file, or standard input where its name is "-", and returns what messages call it.
func readInput(name string, stdin io.Reader) (text []byte, called string, err error) {
	if name == "-" || name == "stdin" && !exists(name) { // vegeta calls it stdin
		text, err = io.ReadAll(stdin)
		return text, "standard input", err
	}
	text, err = os.ReadFile(filepath.Clean(name))
	return text, name, cause(err)
}

// exists reports whether there is a file of that name.
func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// cause is an error of a file without the file's name.
func cause(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func checkMethod(method string) error {
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
		return fmt.Errorf("--method %s: must be a method of HTTP in capital letters, such as POST", method)
	}
	return nil
}

// checkURL refuses what is no address of HTTP; the error says what is nearest.
func checkURL(address string) error {
	if err := noScript(address); err != nil && !strings.Contains(address, "://") {
		return err
	}
	err := attack.CheckURL(address)
	if err != nil && !strings.Contains(address, "://") {
		return fmt.Errorf("%q must begin with http:// or https:// (did you mean %q?)", address, "http://"+address)
	}
	return err
}

// readHeaders reads headers of the form "Name: value".
func readHeaders(texts []string) (http.Header, error) {
	header := http.Header{}
	var problems []error
	for _, text := range texts {
		name, value, ok := strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			problems = append(problems, fmt.Errorf("--header %q: must be a name and a value, such as 'Accept: text/html'", text))
			continue
		}
		header[name] = append(header[name], value)
	}
	return header, errors.Join(problems...)
}

func (f *attackFlags) readBody() ([]byte, error) {
	if f.body == "" {
		return nil, nil
	}
	body, err := os.ReadFile(filepath.Clean(f.body))
	if err != nil {
		return nil, fmt.Errorf("--body %s: %w: the flag names a file with the body, and not the body itself", f.body, cause(err))
	}
	return body, nil
}

func (f *attackFlags) readWeights() (weights []int, err error) {
	if f.weights == "" {
		return nil, nil
	}
	for text := range strings.SplitSeq(f.weights, ",") {
		w, err := strconv.Atoi(text)
		if err != nil || w < 1 || w > gauge.MaxWeights {
			return nil, fmt.Errorf("--weights %s: must be whole numbers from 1 with a sum of at most %d, such as 3,1", f.weights, gauge.MaxWeights)
		}
		weights = append(weights, w)
	}
	return weights, nil
}
