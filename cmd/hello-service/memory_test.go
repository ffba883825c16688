package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Callers cannot fill the memory of the program: it refuses 200 connections with headers of 900 kB each, and never has 64 MiB of
// memory or more.
func TestLargeHeadersAreNotKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak of a process's memory is read from Linux's /proc")
	}
	process, address := launch(t)
	const connections, size, most = 200, 900_000, 64 << 20
	statuses := make(chan string, connections)
	for range connections {
		go func() { statuses <- sendHead(address, size) }()
	}
	for range connections {
		if status := <-statuses; status != "431" {
			t.Errorf("a header of %d bytes: %s, want 431", size, status)
		}
	}
	peak := peakMemory(t, process)
	t.Logf("peak of the resident memory: %d MiB", peak>>20)
	if peak >= most {
		t.Errorf("the program held %d bytes, want less than %d", peak, most)
	}
}

// launch builds the program without the race detector, which would multiply its memory, and starts it as the clock.
func launch(t *testing.T) (process int, address string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "hello-service")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, binary)
	command.Env = []string{"ROLE=clock", "PORT=0"}
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	first, _ := lines.ReadString('\n')
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = io.Copy(io.Discard, lines); _ = command.Wait() }()
	t.Cleanup(func() { cancel(); <-ended })
	port := regexp.MustCompile(`address=\S*:(\d+)`).FindStringSubmatch(first)
	if port == nil {
		t.Fatalf("first line %q names no address", first)
	}
	return command.Process.Pid, "127.0.0.1:" + port[1]
}

// sendHead sends one request with a header of size bytes. It returns the status of the answer, or the error.
func sendHead(address string, size int) string {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(30 * time.Second))
	sent := make(chan struct{})
	go func() { // the write fails when the server closes the connection
		defer close(sent)
		_, _ = fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: clock\r\nX-A: %s\r\n\r\n", strings.Repeat("a", size))
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	_ = connection.Close()
	<-sent
	if err != nil {
		return err.Error()
	}
	return strconv.Itoa(response.StatusCode)
}

// peakMemory is the largest resident memory that a process has had so far, in bytes.
func peakMemory(t *testing.T, process int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("no VmHWM in\n%s", text)
	}
	kibibytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kibibytes << 10
}
