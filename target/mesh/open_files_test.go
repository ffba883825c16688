package mesh

import "testing"

// A graph needs more files and sockets with each pod, call and request under way, and never fewer than the demo chain does.
func TestOpenFilesOfGraph(t *testing.T) {
	if chain, one := OpenFiles(8), OpenFilesOfGraph(1, 0, 8); one <= chain {
		t.Errorf("a pod of its own needs %d files, and the chain %d", one, chain)
	}
	// isotope's tree of 111 services in 222 pods had 1,448 open with one request under way, and 2,708 with four.
	for inFlight, measured := range map[int]int{1: 1448, 4: 2708} {
		if got := OpenFilesOfGraph(222, 111, inFlight); got < measured || got > 2*measured {
			t.Errorf("%d requests under way: %d files, and %d were measured", inFlight, got, measured)
		}
	}
}
