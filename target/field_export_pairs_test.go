package target_test

import "strings"

// exportPairs are objects that their exportTo keeps from the callers, whose namespace is default.
func exportPairs() map[string]pair {
	subsets := rules("one", to("three/v")) + strings.ReplaceAll(destinationRule("host: three, subsets: [{name: v, labels: {version: v1}}]"), "name: two", "name: three")
	return map[string]pair{
		"DestinationRule.exportTo": edited(subsets, "host: three, subsets", "host: three, exportTo: [elsewhere], subsets", get("one", "three")...),
		"ServiceEntry.exportTo":    edited(serviceEntry, "  resolution", "  exportTo: [elsewhere]\n  resolution", get(hiddenHost)...),
	}
}
