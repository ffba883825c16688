package istio

import "strings"

// Validate is the error with which Istio's webhook refuses objects in YAML; nil where it accepts them.
func Validate(objects string) error {
	_, err := read(objects)
	return err
}

// Separated is YAML without blank lines around it, so that documents can be joined.
func Separated(text string) string { return strings.TrimSpace(text) }
