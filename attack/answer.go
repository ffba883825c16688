package attack

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hellochaos/hellochaos/service/trail"
)

// Bounds of an answer of HTTP/1.1, so that no server can make the load generator grow. A body has no bound: what is not kept is counted and
// thrown away.
const (
	// mostHead is how many bytes the heads of an answer may have, those of its 1xx answers with it. net/http allows ten times as many.
	mostHead = 1 << 20
	// mostLine is how long the line of a chunk's size may be, and how long all trailers together, as in net/http.
	mostLine = 4096
	// mostExcess is how many bytes more than their data a series of chunks may need, as in net/http (internal/chunked.go).
	mostExcess = 16 << 10
)

// answer reads one answer of HTTP/1.1, in whatever pieces it comes: feed takes them, and end says that no more will come. It accepts what
// net/http accepts, but for heads above mostHead, and it finds the same end.
type answer struct {
	Status int
	Bytes  int64  // of the body so far
	Kept   []byte // the beginning of the body
	// Trail says that the answer has a trail (trail.HeaderTrail) of the version of this program.
	Trail bool
	// Last says that no other answer can follow on the connection.
	Last bool

	state   reading
	bare    bool // the answer to a HEAD, which has no body
	keep    int  // how many bytes of the body are kept
	line    []byte
	head    int // bytes of heads or of trailers
	begun   bool
	minor   byte // of the version
	length  int64
	lengths int // headers Content-Length
	chunked int // headers Transfer-Encoding
	alive   bool
	folds   bool  // a line that begins with a space may go on with the header before
	left    int64 // of the body, or of a chunk
	excess  int
}

type reading uint8

const (
	readingStatus reading = iota
	readingHeader
	readingBody    // of a known length
	readingToClose // a body that ends with the connection
	readingSize
	readingChunk
	readingChunkEnd
	readingTrailer
)

// reset prepares for the next answer, to a request whose method is HEAD or another one.
func (a *answer) reset(head bool, keep int) {
	*a = answer{bare: head, keep: keep, line: a.line[:0]}
}

// malformed is the error of an answer that is not of HTTP/1.1.
type malformed string

func (m malformed) Error() string { return "malformed answer: " + string(m) }

// feed reads on. It returns what is behind the answer, where that is complete; else it takes all. What it keeps is copied.
func (a *answer) feed(p []byte) (rest []byte, complete bool, err error) {
	a.begun = a.begun || len(p) > 0
	for {
		switch a.state {
		case readingBody, readingChunk:
			n := int(min(int64(len(p)), a.left))
			a.take(p[:n])
			if p, a.left = p[n:], a.left-int64(n); a.left > 0 {
				return nil, false, nil
			}
			if a.state == readingBody {
				return p, true, nil
			}
			a.state = readingChunkEnd
		case readingToClose:
			a.take(p)
			return nil, false, nil
		default:
			line, rest, whole, err := a.nextLine(p)
			if err != nil || !whole {
				return nil, false, err
			}
			p = rest
			complete, err := a.read(line)
			a.line = a.line[:0]
			if err != nil || complete {
				return p, complete, err
			}
		}
	}
}

// take counts a part of the body, and keeps what is to be kept.
func (a *answer) take(p []byte) {
	a.Bytes += int64(len(p))
	if room := a.keep - len(a.Kept); room > 0 {
		a.Kept = append(a.Kept, p[:min(room, len(p))]...)
	}
}

// nextLine is the next line with its end, if p has the end.
func (a *answer) nextLine(p []byte) (line, rest []byte, whole bool, err error) {
	end := bytes.IndexByte(p, '\n') + 1
	part := p[:end]
	if end == 0 {
		part = p
	}
	switch a.head += len(part); {
	case a.state <= readingHeader && a.head > mostHead:
		return nil, nil, false, malformed(fmt.Sprintf("its head has more than %d bytes", mostHead))
	case a.state == readingTrailer && a.head > mostLine:
		return nil, nil, false, malformed("its trailers are too long")
	case a.state > readingHeader && len(a.line)+len(part) > mostLine:
		return nil, nil, false, malformed("the line of a chunk is too long")
	}
	if len(a.line) > 0 || end == 0 {
		a.line = append(a.line, part...)
		return a.line, p[len(part):], end > 0, nil
	}
	return part, p[end:], true, nil
}

// read reads a line, as the state says.
func (a *answer) read(line []byte) (complete bool, err error) {
	switch a.state {
	case readingStatus:
		return false, a.readStatus(withoutEnd(line))
	case readingHeader:
		if line = withoutEnd(line); len(line) == 0 {
			return a.begin()
		}
		return false, a.readHeader(line)
	case readingSize:
		return false, a.readSize(line)
	case readingChunkEnd:
		a.state = readingSize
		if string(line) != "\r\n" {
			return false, malformed("a chunk does not end where its size says")
		}
	case readingTrailer:
		if !bytes.HasSuffix(line, []byte("\r\n")) {
			return false, malformed("a trailer does not end with CR and LF")
		}
		if line = withoutEnd(line); len(line) == 0 {
			return true, nil
		}
		return false, a.readField(line, func([]byte, []byte) error { return nil })
	}
	return false, nil
}

// withoutEnd is a line without its end, which may be a single newline as net/http has it.
func withoutEnd(line []byte) []byte {
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
}

// readStatus reads the first line: "HTTP/1.1 200 OK".
func (a *answer) readStatus(line []byte) error {
	version, text, ok := bytes.Cut(line, []byte(" "))
	if !ok || len(version) != len("HTTP/1.1") || !bytes.HasPrefix(version, []byte("HTTP/1.")) || !isDigit(version[7]) {
		return malformed(fmt.Sprintf("it begins with %q, and not with HTTP/1.1", shortened(line)))
	}
	code, _, _ := bytes.Cut(bytes.TrimLeft(text, " "), []byte(" "))
	if len(code) != 3 || code[0] < '1' || code[0] > '9' || !isDigit(code[1]) || !isDigit(code[2]) {
		return malformed(fmt.Sprintf("its status is %q", shortened(code)))
	}
	a.Status, a.minor = int(code[0]-'0')*100+int(code[1]-'0')*10+int(code[2]-'0'), version[7]
	a.state = readingHeader
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// shortened is the beginning of what a message quotes.
func shortened(text []byte) []byte { return text[:min(len(text), 40)] }

// readHeader reads a line of the head.
func (a *answer) readHeader(line []byte) error {
	return a.readField(line, a.header)
}

// readField reads a line with a name and a value, or one that goes on with the value before, which begins with a space and of which
// nothing is taken.
func (a *answer) readField(line []byte, take func(name, value []byte) error) error {
	if line[0] == ' ' || line[0] == '\t' {
		if !a.folds || !allOf(line, &isValue) {
			return malformed(fmt.Sprintf("a header goes on with %q", shortened(line)))
		}
		return nil
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || !allOf(name, &isName) || !allOf(value, &isValue) {
		return malformed(fmt.Sprintf("%q is no header", shortened(line)))
	}
	a.folds = true
	return take(name, value)
}

// header takes the few headers that say where an answer ends, and the one of trails.
func (a *answer) header(name, value []byte) error {
	switch len(name) {
	case len("Connection"):
		if bytes.EqualFold(name, []byte("Connection")) {
			a.folds = false
			a.Last = a.Last || hasToken(value, "close")
			a.alive = a.alive || hasToken(value, "keep-alive")
		}
	case len("Content-Length"):
		if bytes.EqualFold(name, []byte("Content-Length")) {
			a.folds = false
			return a.contentLength(bytes.Trim(value, " \t"))
		}
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) && a.minor > '0' { // net/http passes over it in HTTP/1.0 as well
			a.folds = false
			if a.chunked++; a.chunked > 1 || !bytes.EqualFold(bytes.Trim(value, " \t"), []byte("chunked")) {
				return malformed(fmt.Sprintf("Transfer-Encoding %q is not chunked", shortened(value)))
			}
		}
	case len(trail.HeaderTrail):
		if bytes.EqualFold(name, []byte(trail.HeaderTrail)) {
			a.folds = false
			a.Trail = string(bytes.Trim(value, " \t")) == trail.Form
		}
	}
	return nil
}

// contentLength reads a header Content-Length, which may stand there again with the same value.
func (a *answer) contentLength(value []byte) error {
	n := int64(0)
	for _, c := range value {
		if !isDigit(c) || n > (1<<63-1-int64(c-'0'))/10 {
			return malformed(fmt.Sprintf("Content-Length %q is no number of bytes", shortened(value)))
		}
		n = 10*n + int64(c-'0')
	}
	if len(value) == 0 || a.lengths > 0 && n != a.length {
		return malformed("Content-Length stands there without a number, or with two")
	}
	a.length = n
	a.lengths++
	return nil
}

// hasToken reports whether a list of words separated by commas has the word, in any case of letters.
func hasToken(list []byte, word string) bool {
	for part := range bytes.SplitSeq(list, []byte(",")) {
		if strings.EqualFold(string(bytes.Trim(part, " \t")), word) {
			return true
		}
	}
	return false
}

// begin is called at the end of the head: it says how the body ends (RFC 9112, 6.3).
func (a *answer) begin() (complete bool, err error) {
	switch {
	case a.Status/100 == 1 && a.Status != 101: // another answer follows
		*a = answer{bare: a.bare, keep: a.keep, begun: true, line: a.line[:0], head: a.head}
		return false, nil
	case a.Status == 101:
		a.Last = true // what follows is no HTTP
		return true, nil
	}
	if a.minor == '0' && !a.alive {
		a.Last = true
	}
	a.head, a.folds = 0, false
	switch {
	case a.bare || a.Status == 204 || a.Status == 304:
		return true, nil
	case a.chunked > 0:
		a.state = readingSize
	case a.lengths > 0:
		a.state, a.left = readingBody, a.length
		return a.left == 0, nil
	default:
		a.state, a.Last = readingToClose, true
	}
	return false, nil
}

// readSize reads the line before a chunk: its size in hexadecimal digits, and extensions that mean nothing.
func (a *answer) readSize(line []byte) error {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || bytes.IndexByte(text, '\r') >= 0 {
		return malformed("the line of a chunk's size does not end with CR and LF")
	}
	text, _, _ = bytes.Cut(text, []byte(";"))
	text = bytes.TrimRight(text, " \t")
	if len(text) == 0 || len(text) > 16 {
		return malformed(fmt.Sprintf("%q is no size of a chunk", shortened(line)))
	}
	size := uint64(0)
	for _, c := range text {
		digit := hexDigit(c)
		if digit < 0 {
			return malformed(fmt.Sprintf("%q is no size of a chunk", shortened(line)))
		}
		size = size<<4 | uint64(digit)
	}
	if size > 1<<62 {
		return malformed(fmt.Sprintf("%q is no size of a chunk", shortened(line)))
	}
	if a.excess = max(0, a.excess+len(line)+2-16-2*int(min(size, mostExcess))); a.excess > mostExcess {
		return malformed("its chunks are much smaller than the lines between them")
	}
	a.left, a.state, a.head = int64(size), readingChunk, 0
	if size == 0 {
		a.state = readingTrailer
	}
	return nil
}

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// end says that the connection ended with err, which is io.EOF where the other side closed it. complete means that the answer was complete
// by that; else class says what it is.
func (a *answer) end(err error) (complete bool, class failure) {
	switch {
	case a.state == readingToClose && isEOF(err):
		return true, ""
	case a.state > readingHeader:
		return false, Cut
	}
	return false, classify(err, nil)
}

// Bytes of which names and values of headers are made. A name with a space is none, and is passed over, as by net/http.
var isName, isValue = func() (name, value [256]bool) {
	for c := range 256 {
		value[c] = c == '\t' || c >= ' ' && c != 0x7f
		name[c] = c == ' ' || c > ' ' && c < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, rune(c))
	}
	return name, value
}()

func allOf(text []byte, of *[256]bool) bool {
	for _, c := range text {
		if !of[c] {
			return false
		}
	}
	return true
}
