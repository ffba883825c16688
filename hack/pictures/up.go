package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// upPage is the page of the program that startUp starts.
const upPage = "http://127.0.0.1:18080/"

// startUp starts 'hellochaos up' with more words behind it, until end is called.
func startUp(ctx context.Context, program string, words ...string) (end func(), err error) {
	up := exec.CommandContext(ctx, program, append([]string{"up", "--port", "18080"}, words...)...)
	up.Stderr = os.Stderr
	if err := up.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = up.Process.Signal(os.Interrupt)
		_ = up.Wait()
	}, nil
}

// seen is what the window of the browser shows.
func seen(ctx context.Context) (image.Image, error) {
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(picture))
}
