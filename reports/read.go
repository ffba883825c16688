package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/terminal"
)

// MaxSize is the largest size of a report in bytes: more than ten times the size of a report of all stages.
const MaxSize = 32 << 20

// Load reads a report from a file, or from the folder of a run. The error names the file and everything that is wrong in it.
func Load(path string) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: name a file or a folder that 'run --out' wrote", path, cause(err))
	}
	if info.IsDir() {
		folder := path
		path = filepath.Join(path, FileName)
		if info, err = os.Stat(path); err != nil {
			return nil, fmt.Errorf("%s: there is no %s in this folder (%w): name one that 'run --out' wrote", folder, FileName, cause(err))
		}
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("%s: %w", path, tooLarge(info.Size()))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause(err))
	}
	defer file.Close()
	r, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// cause returns an error without the path of its file, which the message names already.
func cause(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func tooLarge(size int64) error {
	there := fmt.Sprintf("the file has %d bytes", size)
	if size < 0 {
		there = "the input is too long"
	}
	return fmt.Errorf("%s: a report of hellochaos has at most %d MiB, so this is not a report", there, MaxSize>>20)
}

// Read reads one report, whose schema has the major version of this program and any minor version. The report that it returns has
// the form of docs/report.schema.json, and its fields do not contradict each other, so that every format can be written of it.
// Fields of a newer minor version are left out, which a remark of the report mentions. The error lists all problems with their
// places.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the report: %w", cause(err))
	case len(data) > MaxSize:
		return nil, tooLarge(-1)
	}
	if data, err = decoded(data); err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("the file is empty: the run that should have written it has not ended, or it failed")
	}
	version, newer, err := schemaOf(data)
	if err != nil {
		return nil, err
	}
	var found problems
	checkForm(data, newer, &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	report := new(Report)
	if err := json.Unmarshal(data, report); err != nil {
		return nil, fmt.Errorf("decoding the report: %w", err)
	}
	checkConsistency(report, &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	if newer {
		report.Schema = SchemaVersion
		report.Remarks = append(report.Remarks, fmt.Sprintf("The report has schema %s. This program knows %s, and left out the fields that are newer.", version, SchemaVersion))
	}
	return report, nil
}

// decoded returns a text without the byte order mark that some editors and shells write before UTF-8. JSON is UTF-8 (RFC 8259). The
// error names the other encodings that these programs write.
func decoded(data []byte) ([]byte, error) {
	utf16 := func(order string) error {
		return fmt.Errorf("the report is encoded in UTF-16 (%s), and JSON must be UTF-8: save it as UTF-8; in PowerShell, Out-File -Encoding utf8 does so", order)
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), len(data) > 1 && data[0] != 0 && data[1] == 0:
		return nil, utf16("little-endian")
	case bytes.HasPrefix(data, []byte("\xfe\xff")), len(data) > 1 && data[0] == 0 && data[1] != 0:
		return nil, utf16("big-endian")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// schemaOf returns the schema version of a report, and whether its minor number is larger than that of SchemaVersion. The error
// reports why data is not a report that this program can read.
func schemaOf(data []byte) (version string, newer bool, err error) {
	var head struct {
		Schema json.RawMessage `json:"schema"`
	}
	err = json.Unmarshal(data, &head)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return "", false, malformed(data, syntax)
	case err != nil:
		return "", false, fmt.Errorf("%s, not a report: a report is an object", kindOf(data))
	case head.Schema == nil:
		return "", false, errors.New(`not a report of hellochaos: it has no field "schema"`)
	}
	ours, oursMinor, _ := parseVersion(SchemaVersion)
	err = json.Unmarshal(head.Schema, &version)
	major, minor, ok := parseVersion(version)
	switch {
	case err != nil || !ok:
		return "", false, fmt.Errorf(`not a report of hellochaos: schema: %s: must be a version such as "%s"`, shown(string(head.Schema)), SchemaVersion)
	case major != ours:
		return "", false, fmt.Errorf("the report has schema %s, and this program reads %d.x: use the hellochaos that wrote the report, or one of the same major schema version", version, ours)
	}
	return version, minor > oursMinor, nil
}

// parseVersion reads "MAJOR.MINOR".
func parseVersion(version string) (major, minor uint64, ok bool) {
	first, second, _ := strings.Cut(version, ".")
	major, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.ParseUint(second, 10, 16)
	return major, minor, err == nil
}

// malformed returns an error that names the place at which data is not JSON.
func malformed(data []byte, err *json.SyntaxError) error {
	offset := min(int(err.Offset), len(data))
	if err.Error() == "unexpected end of JSON input" {
		return fmt.Errorf("the file is truncated: its JSON is incomplete after %d bytes", len(data))
	}
	before := data[:max(0, offset-1)]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: not JSON: %w", line, column, err)
}

// kindOf names the kind of JSON value that data is.
func kindOf(data []byte) string {
	switch c := bytes.TrimSpace(data)[0]; c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return "a number"
}

// shown returns a value of a report for a message, on one line and cut after 40 characters.
func shown(value string) string {
	const most = 40
	runes := []rune(terminal.Plain(value))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// maxProblems is how many problems are listed. Of further ones only the number is reported.
const maxProblems = 20

// problems are what is wrong with a report, each with its place.
type problems struct {
	listed []string
	count  int
}

func (p *problems) add(place, format string, args ...any) {
	if p.count++; p.count > maxProblems {
		return
	}
	p.listed = append(p.listed, shownPlace(place)+": "+fmt.Sprintf(format, args...))
}

// shownPlace returns a place for a message, on one line and cut after 120 characters, since its names may come from the report.
func shownPlace(place string) string {
	const most = 120
	if runes := []rune(terminal.Plain(place)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return terminal.Plain(place)
}

// err returns one error with all problems, or nil where there is none.
func (p *problems) err() error {
	switch {
	case p.count == 0:
		return nil
	case p.count == 1:
		return errors.New(p.listed[0])
	}
	listed := p.listed
	if more := p.count - len(listed); more > 0 {
		listed = append(listed, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d problems:\n  %s", p.count, strings.Join(listed, "\n  "))
}
