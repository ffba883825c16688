package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/hellochaos/hellochaos/manifests"
	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/scenarios"
)

// describeObjects notes what the run applies.
func (r *Run) describeObjects() (err error) {
	for _, p := range r.phases {
		objects, err := written(p.Added)
		if err != nil {
			return err
		}
		r.added = append(r.added, objects)
	}
	r.hash, err = hash(r.Objects())
	return err
}

// hash is the SHA-256 of sets of objects, in their order, in hexadecimal digits.
func hash(sets [][]manifests.Object) (string, error) {
	sum := sha256.New()
	for _, set := range sets {
		fmt.Fprintf(sum, "%d objects\n", len(set))
		for i := range set {
			text, err := scenarios.Canonical(&set[i])
			if err != nil {
				return "", err
			}
			sum.Write(append(text, '\n')) // JSON has no raw line end, so no two lists of objects are the same text
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// written are objects as a report shows them.
func written(objects []manifests.Object) (all []reports.Manifest, err error) {
	for i := range objects {
		o := &objects[i]
		text, err := scenarios.Canonical(o)
		if err != nil {
			return nil, err
		}
		lines, err := yaml.JSONToYAML(text)
		if err != nil {
			return nil, fmt.Errorf("writing %s as YAML: %w", o.Name(), err)
		}
		all = append(all, reports.Manifest{Kind: o.Kind, Name: o.Meta.Name, File: o.File, YAML: string(lines)})
	}
	return all, nil
}
