package main

import (
	"bytes"
	"encoding/pem"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// program is a program that an image is made for, and what the program needs in the image besides its binary.
type program struct {
	name string
	// port is the port on which the program listens; empty: it does not listen.
	port string
	// user is true for a program that a person starts. It calls servers over TLS, and writes reports and journals.
	user bool
}

// programs are the programs of this repository that run in containers.
var programs = map[string]program{
	"hello-service": {name: "hello-service", port: "3000/tcp"},
	"hellochaos":    {name: "hellochaos", user: true},
}

// home is the working directory of a program that a person starts. The program may write there.
const home = "/home/hellochaos"

// config says how a container of the image is started.
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

// files are the files and folders that the image has besides the binary.
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

// authorities are the certificate authorities of Mozilla, from Go's x509roots. An image from scratch has none of its own.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		// The buffer takes every write, and a block without headers can always be encoded.
		_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
	}
	return text.Bytes()
}
