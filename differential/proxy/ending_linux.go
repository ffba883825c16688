package proxy

import "syscall"

// ending has the kernel end an Envoy with the program that started it, however that ends.
func ending() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
