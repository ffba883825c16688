package trail

import "strconv"

// Draw is a number in [0,1) that looks uniform and independent of every other draw, and that the same four strings
// give on every platform and in every process. An event of probability p happens when Draw(…) < p.
//
// purpose keeps draws of one try apart ("fail", "hang"); request is the value of HeaderRequest; service is the name of
// the service that draws, without its version; tries is the path that Tries gives. It is FNV-1a of 64 bits
// (draft-eastlake-fnv) over the strings, each ended by a NUL, which no header value can hold, and then the finaliser
// of MurmurHash3 (fmix64, Austin Appleby): FNV alone gives neighbouring requests neighbouring hashes.
func Draw[Path ~string | ~[]byte](purpose, request, service string, tries Path) float64 {
	const offset = 14695981039346656037
	hash := fnv(fnv(fnv(fnv(offset, purpose), request), service), tries)
	hash ^= hash >> 33
	hash *= 0xff51afd7ed558ccd
	hash ^= hash >> 33
	hash *= 0xc4ceb9fe1a85ec53
	hash ^= hash >> 33
	return float64(hash>>11) / (1 << 53)
}

// fnv goes on with an FNV-1a hash over text and the NUL that ends it.
func fnv[Text ~string | ~[]byte](hash uint64, text Text) uint64 {
	const prime = 1099511628211
	for i := range len(text) {
		hash = (hash ^ uint64(text[i])) * prime
	}
	return hash * prime // the NUL: hash ^ 0 is hash
}

// CallOf is the value of HeaderTries that a try's call carries: tries is the path of the try, and number counts the
// try's calls from 0. The first call is named by the path of the try alone, so CallOf("1", 0) is "1" and CallOf("1", 2)
// is "1:2".
func CallOf(tries string, number int) string {
	if number == 0 {
		return tries
	}
	return tries + ":" + strconv.Itoa(number)
}

// Tries is the path of calls and attempt counts down to a try: received is the value of HeaderTries that it carried,
// empty at the first hop, and attempt is the count that it carried, 0 when there was none. Tries("1", 3) is "1.3": the
// third try of the first call of the first try. Tries("1:2", 3) is "1:2.3": the third try of the call after two others.
func Tries(received string, attempt int) string {
	if received == "" {
		return strconv.Itoa(attempt)
	}
	return received + "." + strconv.Itoa(attempt)
}

// IsTries reports whether value has the form of what Tries makes: an attempt count in decimal digits, and for each call on
// the way a colon and the number of the call, where it is not the first, and a dot and an attempt count.
func IsTries(value string) bool {
	call, ok := readPath(value)
	return ok && !call
}

// IsCall reports whether value has the form of what CallOf makes: a path of tries, and a colon and a number where the call is not the
// first of its try.
func IsCall(value string) bool {
	_, ok := readPath(value)
	return ok
}

// readPath reports whether value is a path of tries, and whether it is that of a call: it ends with the number of one.
func readPath(value string) (call, ok bool) {
	before := byte('.')
	for i := range len(value) {
		switch b := value[i]; {
		case b == '0' && before == ':': // the first call has no number, and no number begins so
			return false, false
		case b >= '0' && b <= '9':
		case before == '.' || before == ':', b != '.' && b != ':', b == ':' && call:
			return false, false
		default:
			call = b == ':'
		}
		before = value[i]
	}
	return call, before != '.' && before != ':'
}
