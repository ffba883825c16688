package main

import (
	"bytes"
	"encoding/pem"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// program is what an image is made for, and what it needs there besides its binary.
type program struct {
	name string
	// port is what the program listens on; empty: it serves nothing.
	port string
	// user is set for a program that a person starts: it calls servers over TLS, and writes reports and journals.
	user bool
}

// programs are those of this repository that run in containers.
var programs = map[string]program{
	"hello-service": {name: "hello-service", port: "3000/tcp"},
	"hellochaos":    {name: "hellochaos", user: true},
}

// home is where the program of a user starts and writes.
const home = "/home/hellochaos"

// config is how a container of the image is started.
func (p program) config() v1.Config {
	config := v1.Config{User: "65532:65532", Entrypoint: []string{"/" + p.name}}
	if p.port != "" {
		config.ExposedPorts = map[string]struct{}{p.port: {}}
	}
	if p.user {
		config.Env = []string{"HOME=" + home}
		config.WorkingDir = home
		config.Labels = map[string]string{
			"org.opencontainers.image.source":   "https://github.com/hellochaos/hellochaos",
			"org.opencontainers.image.licenses": "Apache-2.0",
		}
	}
	return config
}

// files are what the image has besides the binary.
func (p program) files() []entry {
	if !p.user {
		return nil
	}
	return []entry{
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: authorities()},
		{name: home[1:] + "/", mode: 0o755, owner: nobody},
		{name: "tmp/", mode: 0o1777},
	}
}

// authorities are Mozilla's certificate authorities, as Go's own root program keeps them: an image from scratch has none.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		// The buffer takes every write, and a block without headers can always be encoded.
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return text.Bytes()
}
