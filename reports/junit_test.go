package reports

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// wellFormed reads all of an XML text.
func wellFormed(text string) error {
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
