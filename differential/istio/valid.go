package istio

import "strings"

// Validate is the error with which Istio's webhook refuses objects in YAML; nil where it accepts them. It has nothing to say of those of Gateway
// API, which the API server alone validates.
func Validate(objects string) error {
	istios, _, err := split(objects)
	if err == nil {
		_, err = read(istios)
	}
	return err
}

// Separated is YAML without blank lines around it, so that documents can be joined.
func Separated(text string) string { return strings.TrimSpace(text) }
