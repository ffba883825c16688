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

// output is standard output, and keeps the first error of writing to it. A command whose output is lost has failed, also
// where it ignores the errors of its own writes.
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
			err = place.Err // without the name of the file, such as /dev/stdout, which a user has not chosen
		}
		o.err = fmt.Errorf("standard output could not be written: %w", err)
	}
	return n, o.err
}

// problem returns the first error of writing, or nil.
func (o *output) problem() error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.err
}

// terminal returns the terminal to which w writes, or nil where w does not write to a terminal.
func terminal(w io.Writer) *os.File {
	if escaping, ok := w.(*printable.Writer); ok {
		w = escaping.Unwrap()
	}
	if f, ok := w.(folded); ok {
		w = f.to
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
