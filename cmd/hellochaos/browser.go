package main

import (
	"os/exec"
	"runtime"
	"time"
)

// startsWithin is how long a browser has to fail. The programs that start one end at once, but some wait until it is closed.
const startsWithin = 2 * time.Second

// browse opens an address in the user's browser, which goes on when hellochaos has ended.
func browse(url string) error {
	words := []string{"xdg-open", url}
	switch runtime.GOOS {
	case "darwin":
		words[0] = "open"
	case "windows":
		words = []string{"rundll32", "url.dll,FileProtocolHandler", url}
	}
	start := exec.Command(words[0], words[1:]...)
	if err := start.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- start.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(startsWithin):
		return nil
	}
}
