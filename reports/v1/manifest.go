package v1

// Manifest is one object that a stage applied.
type Manifest struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// File is the file that the object was read from: the name of a bundled file, or a path that the user gave.
	File string `json:"file"`
	YAML string `json:"yaml"`
}
