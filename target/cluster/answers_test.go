package cluster

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// endless answers every request with bytes until the client has enough, up to a bound that no client should reach.
type endless struct {
	status int
	sent   atomic.Int64
}

func (e *endless) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(e.status)
	block := []byte(strings.Repeat("x", 1<<16))
	for range 16 * mostAnswer / len(block) {
		n, err := w.Write(block)
		e.sent.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// An answer of a pod without an end is not read to its end, whether it is a success or not.
func TestAnswersOfPodsAreBounded(t *testing.T) {
	of := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "frontend-1", Namespace: "shop"}}
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		e := &endless{status: status}
		c := clusterOf(t, e)
		for what, ask := range map[string]func() error{
			"counters": func() error { _, err := c.podGet(t.Context(), of, "/metrics", nil); return err },
			"spans":    func() error { _, err := c.podSpans(t.Context(), of, []string{"a"}); return err },
			"statistics": func() error {
				return c.addStatistics(t.Context(), []corev1.Pod{*of}, map[series]int64{})
			},
			"a log": func() error {
				_, err := c.core.CoreV1().Pods("shop").GetLogs("frontend-1", &corev1.PodLogOptions{}).DoRaw(t.Context())
				return err
			},
			"a Service": func() error {
				_, err := c.core.CoreV1().Services("shop").ProxyGet("http", "frontend", "80", "/", nil).DoRaw(t.Context())
				return err
			},
		} {
			e.sent.Store(0)
			err := ask()
			if err == nil {
				t.Errorf("%d, %s: no error", status, what)
				continue
			}
			if status == http.StatusOK && !strings.Contains(err.Error(), "more than 8388608 bytes") {
				t.Errorf("%d, %s: %v, want that it is too long", status, what, err)
			}
			// Some more may be on the way in the sockets' buffers.
			if sent := e.sent.Load(); sent > 3*mostAnswer {
				t.Errorf("%d, %s: %d bytes were sent, want about %d", status, what, sent, mostAnswer)
			}
		}
	}
}

func TestBoundedBody(t *testing.T) {
	for _, c := range []struct {
		length, left int64
		fails        bool
	}{{0, 4, false}, {4, 4, false}, {5, 4, true}, {500, 4, true}} {
		b := &boundedBody{io.NopCloser(strings.NewReader(strings.Repeat("x", int(c.length)))), c.left}
		text, err := io.ReadAll(b)
		if (err != nil) != c.fails || int64(len(text)) != min(c.length, c.left) {
			t.Errorf("%d bytes of at most %d: got %d, %v", c.length, c.left, len(text), err)
		}
	}
}

func TestPathsOfPods(t *testing.T) {
	for path, want := range map[string]bool{
		"/api/v1/namespaces/shop/pods/http:frontend-1:3000/proxy/metrics": true, "/api/v1/namespaces/shop/pods/a/proxy": true,
		"/api/v1/namespaces/shop/services/http:a:80/proxy/": true, "/api/v1/namespaces/shop/pods/a/log": true,
		"/api/v1/namespaces/shop/pods": false, "/api/v1/namespaces/proxy/pods/proxy": false, "/api/v1/namespaces/shop/configmaps/proxy": false,
		"/api/v1/namespaces/shop/pods/a/portforward": false,
	} {
		if got := fromPod.MatchString(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
