package reports

// Manifest is one object that a stage applied.
type Manifest struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// File is where it was read from: a bundled file's name, or a path of the user's.
	File string `json:"file"`
	YAML string `json:"yaml"`
}
