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
	"reflect"
	"strconv"
	"strings"

	"github.com/hellochaos/hellochaos/reports/terminal"
	v1 "github.com/hellochaos/hellochaos/reports/v1"
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

// Read reads one report, of the major schema version of this program or of the one before it, and of any minor version. The report
// that it returns has the form of docs/report.schema.json, and its fields do not contradict each other, so that every format can be
// written of it. A report of the older major version is turned into today's form (UpgradedFrom), and fields of a newer minor version
// are left out; a remark of the report mentions either. The error lists all problems with their places.
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
	s, err := schemaOf(data)
	if err != nil {
		return nil, err
	}
	if s.known == v1.SchemaVersion {
		return readOld(data, s)
	}
	report, err := readForm(data, s, checkConsistency)
	if err != nil {
		return nil, err
	}
	if s.newer {
		report.Schema = SchemaVersion
		report.Remarks = append(report.Remarks, fmt.Sprintf("The report has schema %s. This program knows %s, and left out the fields that are newer.", s.version, SchemaVersion))
	}
	return report, nil
}

// readOld reads a report of the older major version, and makes one of today's form of it.
func readOld(data []byte, s schema) (*Report, error) {
	old, err := readForm(data, s, checkOldConsistency)
	if err != nil {
		return nil, err
	}
	report := upgrade(old, s.version)
	var found problems
	if checkConsistency(report, &found); found.count > 0 {
		return nil, fmt.Errorf("the report cannot be turned into the form of schema %s: %w", SchemaVersion, found.err())
	}
	return report, nil
}

// readForm reads data as a value of a type. The error lists what is wrong with its form, or else what contradicts itself in it.
func readForm[T any](data []byte, s schema, consistent func(*T, *problems)) (*T, error) {
	var found problems
	checkForm(data, reflect.TypeFor[T](), s, &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	value := new(T)
	if err := json.Unmarshal(data, value); err != nil {
		return nil, fmt.Errorf("decoding the report: %w", err)
	}
	consistent(value, &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	return value, nil
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

// schema is the schema version of a report, beside the one by which this program reads it.
type schema struct {
	version, known string
	// newer: the version's minor number is larger than that of the known one.
	newer bool
}

// schemaOf returns the schema version of a report. The error reports why data is not a report that this program can read.
func schemaOf(data []byte) (schema, error) {
	var head struct {
		Schema json.RawMessage `json:"schema"`
	}
	err := json.Unmarshal(data, &head)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return schema{}, malformed(data, syntax)
	case err != nil:
		return schema{}, fmt.Errorf("%s, not a report: a report is an object", kindOf(data))
	case head.Schema == nil:
		return schema{}, errors.New(`not a report of hellochaos: it has no field "schema"`)
	}
	var version string
	err = json.Unmarshal(head.Schema, &version)
	major, minor, ok := parseVersion(version)
	if err != nil || !ok {
		return schema{}, fmt.Errorf(`not a report of hellochaos: schema: %s: must be a version such as "%s"`, shown(string(head.Schema)), SchemaVersion)
	}
	for _, known := range []string{SchemaVersion, v1.SchemaVersion} {
		if ours, oursMinor, _ := parseVersion(known); major == ours {
			return schema{version: version, known: known, newer: minor > oursMinor}, nil
		}
	}
	return schema{}, fmt.Errorf("the report has schema %s, and this program reads 1.x and 2.x: use the hellochaos that wrote the report, or one that reads its major schema version", version)
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
