package trail

import (
	"strconv"
	"unicode/utf8"
)

// Append appends h to text as JSON, in the version Form, and returns the extended text. It is the JSON that encoding/json makes of
// h. Bytes that are not UTF-8 become U+FFFD.
func Append(text []byte, h *Hop) []byte {
	text = appendText(append(text, `{"service":`...), h.Service)
	text = appendText(append(text, `,"version":`...), h.Version)
	text = strconv.AppendInt(append(text, `,"status":`...), int64(h.Status), 10)
	text = strconv.AppendInt(append(text, `,"attempt":`...), int64(h.Attempt), 10)
	if h.Host != "" {
		text = appendText(append(text, `,"host":`...), h.Host)
	}
	if h.Path != "" {
		text = appendText(append(text, `,"path":`...), h.Path)
	}
	if h.Pod != "" {
		text = appendText(append(text, `,"pod":`...), h.Pod)
	}
	text = strconv.AppendInt(append(text, `,"elapsed_ns":`...), int64(h.Elapsed), 10)
	for i := range h.Calls {
		if i == 0 {
			text = append(text, `,"calls":[`...)
		} else {
			text = append(text, ',')
		}
		text = appendCall(text, &h.Calls[i])
	}
	if len(h.Calls) > 0 {
		text = append(text, ']')
	}
	return append(text, '}')
}

func appendCall(text []byte, c *Call) []byte {
	text = append(text, '{')
	if c.Number != 0 {
		text = append(strconv.AppendInt(append(text, `"number":`...), int64(c.Number), 10), ',')
	}
	text = appendText(append(text, `"url":`...), c.URL)
	text = strconv.AppendInt(append(text, `,"status":`...), int64(c.Status), 10)
	if c.Error != "" {
		text = appendText(append(text, `,"error":`...), c.Error)
	}
	text = strconv.AppendInt(append(text, `,"elapsed_ns":`...), int64(c.Elapsed), 10)
	if c.Body != "" {
		text = appendText(append(text, `,"body":`...), c.Body)
	}
	if c.Hop != nil {
		text = Append(append(text, `,"hop":`...), c.Hop)
	}
	if c.Connection != 0 {
		text = strconv.AppendInt(append(text, `,"connection":`...), int64(c.Connection), 10)
	}
	if c.Turn != 0 {
		text = strconv.AppendInt(append(text, `,"turn":`...), int64(c.Turn), 10)
	}
	return append(text, '}')
}

// appendText appends s as a JSON string.
func appendText(text []byte, s string) []byte {
	const hexadecimal = "0123456789abcdef"
	text = append(text, '"')
	plain := 0 // index of the first byte of s that is not yet in text
	for i := 0; i < len(s); {
		if b := s[i]; b < utf8.RuneSelf {
			if b >= ' ' && b != '"' && b != '\\' {
				i++
				continue
			}
			text = append(text, s[plain:i]...)
			if b < ' ' {
				text = append(text, '\\', 'u', '0', '0', hexadecimal[b>>4], hexadecimal[b&0xf])
			} else {
				text = append(text, '\\', b)
			}
			i++
			plain = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			text = append(append(text, s[plain:i]...), "\uFFFD"...)
			plain = i + size
		}
		i += size
	}
	return append(append(text, s[plain:]...), '"')
}
