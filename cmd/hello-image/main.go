// Hello-image packs a statically linked Linux program of this repository into a container image that has only what the program
// needs: it is FROM scratch, and the program does not run as root. The same binaries give an image with the same digest. The
// package knows the format of images and the protocol of registries, and must not know Docker or Kubernetes. The exit status is
// 0, or 1 when it could not read, write or push, or 2 when its flags are wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/pflag"
)

const usage = `hello-image packs a statically linked program for Linux into a container image.

  hello-image --binary FILE --image NAME[:TAG] --output FILE   writes a docker-archive
  hello-image --binary FILE --image NAME[:TAG] --push          pushes it with docker's logins

You can repeat --binary, once for each architecture. hello-image then makes an image of
each and an index of the images, and --output writes an OCI archive.
It prints the name of the image with its digest.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// order is what the flags ask for.
type order struct {
	binaries []string // paths of binaries, each for a different architecture
	program  program
	image    name.Tag
	output   string // path of the archive; empty: do not write one
	push     bool
}

// run obeys the flags in args, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	if errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	if err != nil {
		problems := strings.ReplaceAll(err.Error(), "\n", "\n  ")
		fmt.Fprintf(stderr, "hello-image: wrong flags (--help explains them):\n  %s\n", problems)
		return 2
	}
	digest, err := o.deliver(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "hello-image: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s@%s\n", o.image.Name(), digest)
	return 0
}

// parse reads the flags. Its error joins all problems of them. It prints help to stdout.
func parse(args []string, stdout io.Writer) (order, error) {
	var o order
	flags := pflag.NewFlagSet("hello-image", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringArrayVar(&o.binaries, "binary", nil, "`FILE` with the program to pack, built with CGO_ENABLED=0 GOOS=linux; once for each architecture")
	packed := flags.String("program", "hello-service", "`NAME` of the program: hello-service or hellochaos")
	image := flags.String("image", "", "`NAME[:TAG]` of the image; the default tag is latest")
	flags.StringVar(&o.output, "output", "", "`FILE` to write the image to, as a docker-archive")
	flags.BoolVar(&o.push, "push", false, "push the image to the registry that its name begins with")
	flags.Usage = func() { fmt.Fprintf(stdout, "%s\n%s", usage, flags.FlagUsages()) }
	if err := flags.Parse(args); err != nil {
		return order{}, err
	}
	var problems []error
	if flags.NArg() > 0 {
		problems = append(problems, fmt.Errorf("the arguments %q are not accepted: hello-image takes only flags", flags.Args()))
	}
	if len(o.binaries) == 0 {
		problems = append(problems, errors.New("--binary is missing: name the file of the program to pack"))
	}
	var known bool
	if o.program, known = programs[*packed]; !known {
		problems = append(problems, fmt.Errorf("--program is %q: it must be hello-service or hellochaos", *packed))
	}
	if !o.push && o.output == "" {
		problems = append(problems, errors.New("neither --output nor --push is given: give one of them, or both"))
	}
	var err error
	if o.image, err = name.NewTag(*image); err != nil {
		problems = append(problems, fmt.Errorf("--image is %q: it must be NAME[:TAG], such as hello-service:latest: %w", *image, err))
	}
	return o, errors.Join(problems...)
}

// delivery is an image or an index of images: it has its digest, and the ways to write it and to push it.
type delivery struct {
	digest func() (v1.Hash, error)
	write  func(io.Writer) error
	push   func(...remote.Option) error
}

// deliver builds the image, writes and pushes it as the flags ask, and returns its digest.
func (o order) deliver(ctx context.Context) (v1.Hash, error) {
	d, err := o.pack()
	if err != nil {
		return v1.Hash{}, err
	}
	if o.output != "" {
		if err := o.write(d.write); err != nil {
			return v1.Hash{}, fmt.Errorf("writing the image to %s: %w", o.output, err)
		}
	}
	if o.push {
		if err := d.push(remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return v1.Hash{}, fmt.Errorf("pushing %s: %w (check the name, and that 'docker login %s' or the credential helper of your cloud lets you push there)",
				o.image.Name(), err, o.image.RegistryStr())
		}
	}
	return d.digest()
}

// pack makes an image of each binary, and an index of the images if there are several.
func (o order) pack() (delivery, error) {
	images := map[string]v1.Image{}
	var image v1.Image
	for _, binary := range o.binaries {
		var architecture string
		var err error
		if image, architecture, err = build(binary, o.program); err != nil {
			return delivery{}, err
		}
		if images[architecture] != nil {
			return delivery{}, fmt.Errorf("%s is the second --binary for %s: give only one for each architecture", binary, architecture)
		}
		images[architecture] = image
	}
	if len(images) == 1 {
		return delivery{
			digest: image.Digest,
			write:  func(file io.Writer) error { return tarball.Write(o.image, image, file) },
			push:   func(options ...remote.Option) error { return remote.Write(o.image, image, options...) },
		}, nil
	}
	index := join(images)
	return delivery{
		digest: index.Digest,
		write:  func(file io.Writer) error { return writeLayout(o.image.TagStr(), index, file) },
		push:   func(options ...remote.Option) error { return remote.WriteIndex(o.image, index, options...) },
	}, nil
}

// write writes the archive to a temporary file beside o.output and renames it, so that no reader finds an incomplete archive.
func (o order) write(content func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(o.output), filepath.Base(o.output)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	err = content(file)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), o.output)
}
