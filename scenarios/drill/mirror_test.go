package drill

import "testing"

func TestNeeded(t *testing.T) {
	for share, want := range map[float64]int{1: leastMirrored, .5: 225, .3: 489, .999: 13809, .01: mostMirrored} {
		if got := needed(share); got != want {
			t.Errorf("share %v: %d requests, want %d", share, got, want)
		}
	}
}

func TestJudgeMirror(t *testing.T) {
	to := []Copies{{Service: "shop", Version: "v2"}, {Service: "shop", Version: "v3"}}
	of := func(counts ...int64) (all []Copies) {
		for i, n := range counts {
			all = append(all, Copies{"shop", []string{"v1", "v2", "v3"}[i], n})
		}
		return all
	}
	for name, c := range map[string]struct {
		share  float64
		copies []Copies
		want   string
	}{
		"all":              {1, of(7, 150, 50), "right: of 200 calls 200 were copied, each once"},
		"one less":         {1, of(7, 150, 49), "wrong: of 200 calls 199 were copied, where each is to be"},
		"twice":            {1, of(0, 400), "wrong: 200 calls made 400 copies"},
		"about half":       {.5, of(0, 90), "right: of 200 calls 90 were copied (45 %, 95 % interval 38 to 52.2 %; 50 % are to be)"},
		"none":             {.3, nil, "wrong: of 200 calls 0 were copied (0 %), where 30 % are to be"},
		"all and not some": {.9, of(0, 200), "wrong: of 200 calls 200 were copied (100 %), where 90 % are to be"},
	} {
		check(t, name, judgeMirror(200, c.share, to, c.copies), c.want)
	}
}
