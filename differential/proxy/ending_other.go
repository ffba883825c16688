//go:build !linux

package proxy

import "syscall"

// ending leaves it to Close to end an Envoy: only Linux ends a process with the one that started it.
func ending() *syscall.SysProcAttr { return nil }
