package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/hellochaos/hellochaos/printable"
)

// output is standard output that remembers the first error of writing to it: a command whose output is lost has not done
// what it was asked for, whether or not it looks at the errors of its own writing.
type output struct {
	to io.Writer

	mutex sync.Mutex
	err   error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if err == nil {
		return n, nil
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.err == nil {
		var place *fs.PathError
		if errors.As(err, &place) {
			err = place.Err // the name that the system gives to standard output says nothing to a user
		}
		o.err = fmt.Errorf("standard output could not be written: %w", err)
	}
	return n, o.err
}

// problem is the first error of writing, nil without one.
func (o *output) problem() error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.err
}

// terminal is the terminal that w writes to, nil when it writes to none.
func terminal(w io.Writer) *os.File {
	if escaping, ok := w.(*printable.Writer); ok {
		w = escaping.Unwrap()
	}
	if o, ok := w.(*output); ok {
		w = o.to
	}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return file
}
