// Package crewtest has workers for tests: goroutines that work as the processes do.
package crewtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hellochaos/hellochaos/attack/share"
)

// Crew are workers of a test. It implements share.Crew.
type Crew struct {
	T       *testing.T
	Workers int
	Counter share.Counter
	// Ahead is how far the clock of each worker is ahead; nil: they have the clock of the test.
	Ahead []time.Duration
	// Dies is the number of a worker that dies, from 1, after so many lines that it wrote; 0: none does.
	Dies, After int
	// Loses is the number of a worker of which the line after so many lines (After) does not arrive, from 1; 0: of none.
	Loses int

	folder string
	ended  context.CancelFunc
	outs   []io.Reader
}

// Size implements share.Crew.
func (c *Crew) Size() int { return c.Workers }

// OneClock implements share.Crew.
func (c *Crew) OneClock() bool { return c.Ahead == nil }

// Start implements share.Crew.
func (c *Crew) Start(ctx context.Context, file string, order []byte, _ time.Duration) error {
	c.folder, c.outs = c.T.TempDir(), nil
	if err := os.WriteFile(filepath.Join(c.folder, file), order, 0o600); err != nil {
		return err
	}
	ctx, c.ended = context.WithCancel(ctx)
	for i := range c.Workers {
		out, in := io.Pipe()
		c.outs = append(c.outs, out)
		go func() { in.CloseWithError(share.Work(ctx, c.folder, i, in, c.Counter)) }()
	}
	return nil
}

// Follow implements share.Crew.
func (c *Crew) Follow(_ context.Context, index int, take func([]byte) error) error {
	lines := bufio.NewScanner(c.outs[index])
	lines.Buffer(nil, share.MostLine)
	for n := 0; lines.Scan(); n++ {
		if c.Dies == index+1 && n == c.After {
			go io.Copy(io.Discard, c.outs[index]) // what it says reaches nobody
			return errors.New("signal: killed")
		}
		if c.Loses == index+1 && n == c.After {
			continue
		}
		text := lines.Bytes()
		if c.Ahead != nil {
			var l share.Line
			if err := json.Unmarshal(text, &l); err != nil {
				return err
			}
			if l.Now += int64(c.Ahead[index]); l.Result != nil {
				l.Result.Began = l.Result.Began.Add(c.Ahead[index])
			}
			text, _ = json.Marshal(&l) // it was read a moment ago
		}
		if err := take(text); err != nil {
			return err
		}
	}
	return lines.Err()
}

// Tell implements share.Crew.
func (c *Crew) Tell(_ context.Context, file, text string) error {
	if file == share.BeginFile && c.Ahead != nil {
		var all []int64
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return err
		}
		for i := range all {
			all[i] -= int64(c.Ahead[i])
		}
		corrected, _ := json.Marshal(all) // numbers
		text = string(corrected)
	}
	name := filepath.Join(c.folder, file)
	if err := os.WriteFile(name+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// End implements share.Crew.
func (c *Crew) End(context.Context) error {
	if c.ended != nil {
		c.ended()
	}
	return nil
}
