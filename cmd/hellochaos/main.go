// Command hellochaos proves what a service-mesh policy does: it applies policies one after another, sends requests through a
// chain of services, and holds each request against what the applied manifests say that it must meet.
//
// This package is only the command line: flags, progress on a terminal, exit codes. Package scenarios has what a run does.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"k8s.io/klog/v2"
)

func main() {
	// The client of Kubernetes also logs to standard error what it returns as errors, which this program prints itself.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	// net/http logs there, too: connections that it could not accept, and answers that it did not expect.
	log.SetOutput(io.Discard)
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
