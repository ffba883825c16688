package target_test

// mirrorPairs are those of copies, which only the apps see that get them.
func mirrorPairs() map[string]pair {
	counted := func(without, with string) pair {
		p := routes(to("two/a")+without, to("two/a")+with, get("one")...)
		p.counted = true
		return p
	}
	const toB, toOne = "{host: two, subset: b}", "{host: one}"
	return map[string]pair{
		"HTTPRoute.mirror":             counted("", ", mirror: "+toB),
		"HTTPRoute.mirrors":            counted("", ", mirrors: [{destination: "+toB+"}, {destination: "+toOne+"}]"),
		"HTTPRoute.mirrorPercentage":   counted(", mirror: "+toB, ", mirror: "+toB+", mirrorPercentage: {value: 0}"),
		"HTTPRoute.mirrorPercent":      counted(", mirror: "+toB, ", mirror: "+toB+", mirrorPercent: 0"),
		"HTTPMirrorPolicy.destination": counted(", mirrors: [{destination: "+toB+"}]", ", mirrors: [{destination: "+toOne+"}]"),
		"HTTPMirrorPolicy.percentage":  counted(", mirrors: [{destination: "+toB+"}]", ", mirrors: [{destination: "+toB+", percentage: {value: 0}}]"),
	}
}
