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

// routeMirrorPairs are those of the filter RequestMirror.
func routeMirrorPairs() map[string]pair {
	rule := func(mirror string) string {
		return route("filters: [{type: RequestMirror, requestMirror: {" + mirror + "}}], " + toBackend("one"))
	}
	counted := func(text, old, new string) pair {
		p := edited(text, old, new, get("one")...)
		p.counted = true
		return p
	}
	const of = ofRoute + "filters[].requestMirror."
	const to, whole, hundred = "backendRef: {name: frontend, port: 80}", ", fraction: {numerator: 2, denominator: 2}", ", fraction: {numerator: 100}"
	return map[string]pair{
		of + "backendRef.name":      counted(rule(to), "name: frontend", "name: nobody"),
		of + "backendRef.namespace": counted(rule("backendRef: {name: frontend, namespace: default, port: 80}"), "namespace: default", "namespace: elsewhere"),
		of + "backendRef.kind":      counted(rule("backendRef: {name: frontend, kind: Service, port: 80}"), "frontend, kind: Service", "frontend, kind: Other"),
		of + "backendRef.group":     counted(rule(`backendRef: {name: frontend, group: "", port: 80}`), `frontend, group: ""`, "frontend, group: a.example"),
		of + "backendRef.port":      counted(rule(to), "frontend, port: 80", "frontend, port: 81"),
		of + "percent":              counted(rule(to+", percent: 100"), "percent: 100", "percent: 0"),
		of + "fraction.numerator":   counted(rule(to+hundred), "numerator: 100", "numerator: 0"),
		of + "fraction.denominator": counted(rule(to+whole), "denominator: 2", "denominator: 2000000000"),
	}
}
