package render

import (
	"math"
	"strconv"
)

// Duration returns a time of so many seconds with three significant digits, in microseconds, milliseconds or seconds: "4.12ms".
func Duration(seconds float64) string {
	size := math.Abs(seconds)
	switch {
	case size == 0:
		return "0"
	case size < 0.9995e-3:
		return significant(seconds*1e6) + "µs"
	case size < 0.9995:
		return significant(seconds*1e3) + "ms"
	}
	return significant(seconds) + "s"
}

// significant returns a number with three significant digits, without zeros at the end of its fraction.
func significant(v float64) string {
	decimals := 2 - int(math.Floor(math.Log10(max(math.Abs(v), 0.01))+1e-12))
	return withoutZeros(strconv.FormatFloat(v, 'f', max(0, decimals), 64))
}
