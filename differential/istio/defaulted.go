package istio

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// definitions is the folder with the definitions of Gateway API, of its experimental channel, in the Go module that has its types.
var definitions = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	return filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "experimental"), err
})

// schemas are the schemas of the kinds of Gateway API that were needed, by kind.
var schemas sync.Map

// schemaOf is the schema of a kind of Gateway API, of the version that the API server stores.
func schemaOf(kind string) (*apiextensions.JSONSchemaProps, error) {
	if known, ok := schemas.Load(kind); ok {
		return known.(*apiextensions.JSONSchemaProps), nil
	}
	folder, err := definitions()
	if err != nil {
		return nil, fmt.Errorf("looking for the definitions of Gateway API: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(folder, group+"_"+strings.ToLower(kind)+"s.yaml"))
	if err != nil {
		return nil, err
	}
	var definition apiextensions.CustomResourceDefinition
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return nil, err
	}
	for _, v := range definition.Spec.Versions {
		if v.Storage {
			schemas.Store(kind, v.Schema.OpenAPIV3Schema)
			return v.Schema.OpenAPIV3Schema, nil
		}
	}
	return nil, fmt.Errorf("no version of kind %s is stored", kind)
}

// defaulted is an object of Gateway API in YAML with what the API server fills in: the defaults of the kind's definition.
func defaulted(kind, document string) ([]byte, error) {
	schema, err := schemaOf(kind)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := yaml.Unmarshal([]byte(document), &object); err != nil {
		return nil, err
	}
	if err := fill(object, schema); err != nil {
		return nil, err
	}
	return yaml.Marshal(object)
}

// fill gives a value, and everything in it, the defaults of its schema.
func fill(value any, schema *apiextensions.JSONSchemaProps) error {
	switch v := value.(type) {
	case map[string]any:
		for name, field := range schema.Properties {
			if _, there := v[name]; !there && field.Default != nil {
				var filled any
				if err := yaml.Unmarshal(field.Default.Raw, &filled); err != nil {
					return err
				}
				v[name] = filled
			}
			if inner, there := v[name]; there {
				if err := fill(inner, &field); err != nil {
					return err
				}
			}
		}
	case []any:
		if schema.Items == nil || schema.Items.Schema == nil {
			return nil
		}
		for _, inner := range v {
			if err := fill(inner, schema.Items.Schema); err != nil {
				return err
			}
		}
	}
	return nil
}
