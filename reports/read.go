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

// MaxSize is how many bytes of a report are read at most: more than ten times what a run of all stages writes.
const MaxSize = 32 << 20

// Load reads the report of a file, or of a run's folder. Its error names the file, and everything that is wrong in it.
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

// cause is an error without the path that is named already.
func cause(err error) error {
	var wrapped *fs.PathError
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func tooLarge(size int64) error {
	there := fmt.Sprintf("it has %d bytes", size)
	if size < 0 {
		there = "it is too long"
	}
	return fmt.Errorf("%s: a report of hellochaos has at most %d MiB, so this is not one", there, MaxSize>>20)
}

// Read reads one report: of any minor version of this program's major one, and nothing else. What it returns is of the
// form of docs/report.schema.json and agrees with itself, so that every format can be written of it. Fields that only a newer
// minor version has are left out, and a remark says so. An error has all problems of the report, each with its place.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading it: %w", cause(err))
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
		return nil, fmt.Errorf("decoding it: %w", err)
	}
	checkConsistency(report, &found)
	if err := found.err(); err != nil {
		return nil, err
	}
	if newer {
		report.Schema = SchemaVersion
		report.Remarks = append(report.Remarks, fmt.Sprintf("The report has schema %s: what is newer than this program's %s is left out.", version, SchemaVersion))
	}
	return report, nil
}

// decoded is a text without the byte order mark that some editors and shells put before UTF-8. JSON is UTF-8 (RFC 8259); the error names
// the other encodings that these programs write.
func decoded(data []byte) ([]byte, error) {
	utf16 := func(order string) error {
		return fmt.Errorf("it is encoded in UTF-16 (%s), and JSON is UTF-8: save it as UTF-8; in PowerShell, Out-File -Encoding utf8 does so", order)
	}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), len(data) > 1 && data[0] != 0 && data[1] == 0:
		return nil, utf16("little-endian")
	case bytes.HasPrefix(data, []byte("\xfe\xff")), len(data) > 1 && data[0] == 0 && data[1] != 0:
		return nil, utf16("big-endian")
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// schemaOf returns the version that a report says it has, and whether its minor number is newer than ours; the error is of what
// is no report that this program reads.
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
		return "", false, fmt.Errorf("schema %s: this program reads %d.x: use the hellochaos that wrote it, or one of the same major schema version", version, ours)
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

// malformed says where a text stops being JSON.
func malformed(data []byte, err *json.SyntaxError) error {
	offset := min(int(err.Offset), len(data))
	if err.Error() == "unexpected end of JSON input" {
		return fmt.Errorf("truncated: the JSON ends in the middle, after %d bytes", len(data))
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

// shown is a value of a report in a message, on one line and not too long.
func shown(value string) string {
	const most = 40
	runes := []rune(terminal.Plain(value))
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(runes)
}

// maxProblems is how many problems are told one by one.
const maxProblems = 20

// problems are what is wrong with a report, each with its place.
type problems struct {
	told  []string
	count int
}

func (p *problems) add(place, format string, args ...any) {
	if p.count++; p.count > maxProblems {
		return
	}
	p.told = append(p.told, shownPlace(place)+": "+fmt.Sprintf(format, args...))
}

// shownPlace is a place whose names came with the report.
func shownPlace(place string) string {
	const most = 120
	if runes := []rune(terminal.Plain(place)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return terminal.Plain(place)
}

// err is all problems in one error, nil without any.
func (p *problems) err() error {
	switch {
	case p.count == 0:
		return nil
	case p.count == 1:
		return errors.New(p.told[0])
	}
	told := p.told
	if more := p.count - len(told); more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%d problems:\n  %s", p.count, strings.Join(told, "\n  "))
}
