package trail

import "testing"

func TestToldHost(t *testing.T) {
	for host, want := range map[string]string{
		"reviews": "", "reviews:9080": "", "reviews.prod.svc.cluster.local": "", "": "",
		"127.0.0.1:41235": "", "10.0.0.1": "", "[::1]:80": "", "[::1]": "",
		"reviews-v2": "reviews-v2", "details": "details", "other.example:8080": "other.example:8080", "1.example": "1.example", "[": "[",
	} {
		if got := ToldHost("reviews", host); got != want {
			t.Errorf("ToldHost(reviews, %q) = %q, want %q", host, got, want)
		}
	}
}

func TestToldPath(t *testing.T) {
	for target, want := range map[string]string{"/": "", "/?a=b": "/?a=b", "/a": "/a"} {
		if got := ToldPath(target); got != want {
			t.Errorf("ToldPath(%q) = %q, want %q", target, got, want)
		}
	}
}
