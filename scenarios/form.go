package scenarios

// form is a scenario file as it is written. A field must be there unless its tag says that it is optional.
type form struct {
	APIVersion string          `yaml:"apiVersion"`
	Kind       string          `yaml:"kind"`
	Name       string          `yaml:"name"`
	Title      string          `yaml:"title"`
	After      string          `yaml:"after,optional"`
	Apply      []string        `yaml:"apply"`
	Entry      entryForm       `yaml:"entry"`
	Cohorts    []cohortForm    `yaml:"cohorts,optional"`
	Exclude    *float64        `yaml:"exclude,optional"`
	Parameters []parameterForm `yaml:"parameters,optional"`
	Unmet      []unmetForm     `yaml:"unmet,optional"`
	Accepted   []acceptedForm  `yaml:"accepted,optional"`
	Lessons    []string        `yaml:"lessons,optional"`
}

type entryForm struct {
	Service string `yaml:"service,optional"`
	Caller  string `yaml:"caller,optional"`
	Gateway string `yaml:"gateway,optional"`
}

type cohortForm struct {
	Name    string            `yaml:"name"`
	Weight  *float64          `yaml:"weight,optional"`
	Entry   *entryForm        `yaml:"entry,optional"`
	Method  string            `yaml:"method,optional"`
	Host    string            `yaml:"host,optional"`
	Path    string            `yaml:"path,optional"`
	Headers map[string]string `yaml:"headers,optional"`
}

type parameterForm struct {
	Name  string    `yaml:"name"`
	Title string    `yaml:"title"`
	Split splitForm `yaml:"split"`
}

type splitForm struct {
	Host string `yaml:"host"`
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

type acceptedForm struct {
	Finding string `yaml:"finding"`
	Rule    string `yaml:"rule"`
	Reason  string `yaml:"reason"`
}

type unmetForm struct {
	Rule   string `yaml:"rule"`
	Reason string `yaml:"reason"`
}
