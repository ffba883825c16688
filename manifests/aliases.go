package manifests

import (
	"go.yaml.in/yaml/v3"
)

const (
	// mergeTag is what YAML calls a key << that merges another map into its own.
	mergeTag = "!!merge"
	// nodeSize is what a node costs at least, in bytes, when what aliases stand for is held to maxFile.
	nodeSize = 16
)

// expansion is what a document's visit knows of YAML's anchors and aliases. A few lines of aliases can stand for more than any
// memory holds, so what they stand for is held to the size of a file, and no alias may stand inside what it stands for.
type expansion struct {
	// merged: there is a merge key in the document.
	merged bool
	// inside is how many aliases the visit has followed to where it is, and expanded how many bytes all of them came to.
	inside, expanded int
	// around are the nodes with an anchor that the visit is in.
	around map[*yaml.Node]bool
}

func (e *expansion) open(n *yaml.Node) {
	if e.around == nil {
		e.around = make(map[*yaml.Node]bool)
	}
	e.around[n] = true
}

func (e *expansion) close(n *yaml.Node) { delete(e.around, n) }

// afford counts a node that is visited through aliases; false when they stand for too much, which is reported once.
func (d *document) afford(path string, n *yaml.Node) bool {
	if d.inside == 0 {
		return true
	}
	before := d.expanded
	d.expanded += nodeSize + len(n.Value)
	if before <= maxFile && d.expanded > maxFile {
		d.problem(path, "the aliases of this document stand for more than %d bytes: write fewer", maxFile)
	}
	return d.expanded <= maxFile
}

// follow visits what an alias stands for.
func (d *document) follow(path string, n *yaml.Node, visit func(*yaml.Node)) {
	if d.around[n.Alias] {
		d.problem(path, "the alias *%s stands inside the value that it stands for", n.Value)
		return
	}
	d.inside++
	visit(n.Alias)
	d.inside--
}

// visitMerge visits the fields that a merge key << adds to the map at path, less those that are taken. before are the map's
// own keys that stand before the merge key: of those kubectl takes the merged value, and YAML's specification the written one.
func (d *document) visitMerge(path string, n *yaml.Node, depth int, taken, before map[string]bool) {
	if !d.afford(path, n) {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		d.follow(path, n, func(meant *yaml.Node) { d.visitMerge(path, meant, depth, taken, before) })
	case yaml.SequenceNode:
		for _, item := range n.Content {
			d.visitMerge(path, item, depth, taken, before)
		}
	case yaml.MappingNode:
		if n.Anchor != "" {
			d.open(n)
			defer d.close(n)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if name := n.Content[i].Value; before[name] {
				d.problem(join(path, name), "written before the merge key <<, which has it too: kubectl would take the merged value, "+
					"and YAML's specification the written one; write << first")
			}
		}
		d.visitMapping(path, n, depth, taken)
	default:
		d.problem(path, "the merge key << takes a map, or a list of maps")
	}
}
