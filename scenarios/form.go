package scenarios

// form is a scenario file as it is written. A field must be there unless its tag says that it is optional. The tag doc is what the JSON
// Schema says of the field.
type form struct {
	APIVersion string          `yaml:"apiVersion" doc:"The version of this form."`
	Kind       string          `yaml:"kind" doc:"What the file is."`
	Name       string          `yaml:"name" doc:"The name of the scenario in reports. The names of its requests have it, and with the seed they decide which tries fail."`
	Title      string          `yaml:"title" doc:"What the scenario does, in one line."`
	After      string          `yaml:"after,optional" doc:"The bundled stage that this one stands on: its objects are in force, too. Without it, the objects of the file are all there is."`
	Apply      []string        `yaml:"apply,optional" doc:"Files with manifests, beside this one: names, folders and patterns such as mesh/*.yaml. With after, also names of bundled files. Beside phases: what is in force before the first of them, which is only compared with."`
	Services   []serviceForm   `yaml:"services,optional" doc:"Stand-ins answer in place of the services of the files, which are read as verify reads them: any Deployment will do, and what only rules name is stood up. Not with after."`
	Phases     []phaseForm     `yaml:"phases,optional" doc:"Several phases, one after another, in place of the one that the fields beside it describe. Each stands on the one before it."`
	Entry      entryForm       `yaml:"entry" doc:"Where requests enter."`
	Cohorts    []cohortForm    `yaml:"cohorts,optional" doc:"Requests that are alike. They take turns. Without it all requests are alike."`
	Exclude    *float64        `yaml:"exclude,optional" doc:"The share of deviating calls to exclude for rules that say where calls go, where that is less than --exclude."`
	Parameters []parameterForm `yaml:"parameters,optional" doc:"Numbers of percent that the command line may set with --set NAME=PERCENT; 0 where it does not."`
	Unmet      []unmetForm     `yaml:"unmet,optional" doc:"Rules that no request meets, on purpose."`
	Accepted   []acceptedForm  `yaml:"accepted,optional" doc:"Warnings of the findings that are meant so."`
	Expect     []string        `yaml:"expect,optional" doc:"What is expected of a run, in the words of --expect: edge fails <= 0.01. Without a phase in front, the last one is meant."`
	Lessons    []string        `yaml:"lessons,optional" doc:"Sentences that are printed where the phase passes."`
}

// phaseForm is one of several phases of a scenario file.
type phaseForm struct {
	Name     string         `yaml:"name" doc:"The name of the phase. The names of its requests have it."`
	Title    string         `yaml:"title" doc:"What the phase adds, in one line."`
	Apply    []string       `yaml:"apply" doc:"Files with the manifests that the phase adds to the one before, as apply of the file."`
	Entry    *entryForm     `yaml:"entry,optional" doc:"Where requests enter, if not where those of the file do."`
	Cohorts  []cohortForm   `yaml:"cohorts,optional" doc:"Requests that are alike, in place of those of the file."`
	Exclude  *float64       `yaml:"exclude,optional" doc:"The share of deviating calls to exclude for rules that say where calls go, where that is less than --exclude."`
	Unmet    []unmetForm    `yaml:"unmet,optional" doc:"Rules that no request of the phase meets, on purpose."`
	Accepted []acceptedForm `yaml:"accepted,optional" doc:"Warnings of the findings that are meant so, here and in the phases behind."`
	Lessons  []string       `yaml:"lessons,optional" doc:"Sentences that are printed where the phase passes."`
}

// entryForm has exactly one of its fields.
type entryForm struct {
	Service string `yaml:"service,optional" doc:"Straight at the pods of this Service, from outside the mesh: no proxy is on the way."`
	Caller  string `yaml:"caller,optional" doc:"As requests of a caller in the mesh, which its sidecar sends: the label app of its pods, or namespace/app. Its cohorts must have a host."`
	Gateway string `yaml:"gateway,optional" doc:"By this Gateway, or namespace/name; * is the only one of the objects."`
}

type cohortForm struct {
	Name    string            `yaml:"name" doc:"How reports call these requests."`
	Weight  *float64          `yaml:"weight,optional" doc:"How often its natural requests come, beside those of the others: 1 where it is left out."`
	Entry   *entryForm        `yaml:"entry,optional" doc:"Where these requests enter, if not where the others do."`
	Method  string            `yaml:"method,optional" doc:"GET where it is left out."`
	Host    string            `yaml:"host,optional" doc:"The Host header. At a Gateway, one that it serves is the default; requests of a caller must have it."`
	Path    string            `yaml:"path,optional" doc:"The path, which may have a query; / where it is left out."`
	Headers map[string]string `yaml:"headers,optional" doc:"Headers by name."`
}

type parameterForm struct {
	Name  string    `yaml:"name" doc:"What stands before the = of --set."`
	Title string    `yaml:"title" doc:"What the number is."`
	Split splitForm `yaml:"split" doc:"The rules that it changes: those that send all calls without a match for the host to one subset."`
}

type splitForm struct {
	Host string `yaml:"host" doc:"The host of the rules."`
	From string `yaml:"from" doc:"The subset that gets all calls in the files."`
	To   string `yaml:"to" doc:"The subset that gets so many percent of them."`
}

type acceptedForm struct {
	Finding string `yaml:"finding" doc:"The id of a warning, such as HC204."`
	Rule    string `yaml:"rule" doc:"The object that it is about: VirtualService and its name."`
	Reason  string `yaml:"reason" doc:"A clause that says why it is meant so."`
}

type unmetForm struct {
	Rule   string `yaml:"rule" doc:"The object: VirtualService and its name."`
	Reason string `yaml:"reason" doc:"A clause that says why nothing meets it."`
}

// first is what the fields of a file that are those of a phase say.
func (f *form) first() phaseForm {
	return phaseForm{Name: f.Name, Title: f.Title, Apply: f.Apply, Entry: &f.Entry, Cohorts: f.Cohorts, Exclude: f.Exclude, Unmet: f.Unmet, Accepted: f.Accepted, Lessons: f.Lessons}
}

// inherit is a phase with the entry and the cohorts of the file, where it has none of its own.
func (f *form) inherit(p phaseForm) phaseForm {
	if p.Entry == nil {
		p.Entry = &f.Entry
	}
	if p.Cohorts == nil {
		p.Cohorts = f.Cohorts
	}
	return p
}
