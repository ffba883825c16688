package trail

import "strconv"

// Draw is a number in [0,1) that looks uniform and independent of every other draw, and that the same four strings
// give on every platform and in every process. An event of probability p happens when Draw(…) < p.
//
// purpose keeps draws of one try apart ("fail", "hang"); request is the value of HeaderRequest; service is the name of
// the service that draws, without its version; tries is the path that Tries gives. It is FNV-1a of 64 bits
// (draft-eastlake-fnv) over the strings, each ended by a NUL, which no header value can hold, and then the finaliser
// of MurmurHash3 (fmix64, Austin Appleby): FNV alone gives neighbouring requests neighbouring hashes.
func Draw(purpose, request, service, tries string) float64 {
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
func fnv(hash uint64, text string) uint64 {
	const prime = 1099511628211
	for i := range len(text) {
		hash = (hash ^ uint64(text[i])) * prime
	}
	return hash * prime // the NUL: hash ^ 0 is hash
}

// Tries is the path of attempt counts down to a try: received is the value of HeaderTries that it carried, empty at
// the first hop, and attempt is the count that it carried, 0 when there was none. Tries("1", 3) is "1.3".
func Tries(received string, attempt int) string {
	if received == "" {
		return strconv.Itoa(attempt)
	}
	return received + "." + strconv.Itoa(attempt)
}

// IsTries reports whether value is what Tries makes: decimal digits in groups joined by dots.
func IsTries(value string) bool {
	before := byte('.')
	for i := range len(value) {
		if b := value[i]; b != '.' && (b < '0' || b > '9') || b == '.' && before == '.' {
			return false
		}
		before = value[i]
	}
	return before != '.'
}
