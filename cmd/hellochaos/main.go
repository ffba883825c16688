// Command hellochaos proves what a service-mesh policy does: it sends traffic through a chain of services before and after
// a policy is applied, and compares what it measured with what the applied manifests predict.
//
// This package is the command line only: flags, progress on a terminal, exit codes. What a run does is in scenarios.
package main

import (
	"context"
	"os"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }
