// Command hellochaos proves what a service-mesh policy does: it sends traffic through a chain of services before and after
// a policy is applied, and compares what it measured with what the applied manifests predict.
//
// This package is the command line only: flags, progress on a terminal, exit codes. What a run does is in scenarios.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"k8s.io/klog/v2"
)

func main() {
	// Kubernetes' client writes what it meets to a log of its own, beside the errors that it returns and that are told.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	// So does net/http, of connections that it could not accept and of answers that it did not expect.
	log.SetOutput(io.Discard)
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
