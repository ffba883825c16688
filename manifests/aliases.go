package manifests

import (
	"github.com/hellochaos/hellochaos/yamlnode"
	"go.yaml.in/yaml/v3"
)

const (
	// mergeTag is YAML's tag of a key <<, which merges another map into the map that has the key.
	mergeTag = "!!merge"
	// nodeSize is the size in bytes that a node counts, besides its text, when the values of aliases are limited to maxFile.
	nodeSize = 16
)

// expansion is the state of a document's visit for YAML's anchors and aliases. A few lines of aliases can stand for more than any
// memory holds, so the values that they stand for are limited to the size of a file, and no alias may stand inside its own value.
type expansion struct {
	// merged says that the document has a merge key.
	merged bool
	// inside is how many aliases the visit has followed to reach the current node. expanded is the size in bytes of all values of
	// aliases so far.
	inside, expanded int
	// around are the nodes with an anchor that contain the current node.
	around map[*yaml.Node]bool
}

func (e *expansion) open(n *yaml.Node) {
	if e.around == nil {
		e.around = make(map[*yaml.Node]bool)
	}
	e.around[n] = true
}

func (e *expansion) close(n *yaml.Node) { delete(e.around, n) }

// afford counts the size of a node that is visited through aliases. It returns false when the values of aliases have become larger
// than maxFile, which it records as a problem once.
func (d *document) afford(path string, n *yaml.Node) bool {
	if d.inside == 0 {
		return true
	}
	before := d.expanded
	d.expanded += nodeSize + len(n.Value)
	if before <= maxFile && d.expanded > maxFile {
		d.problem(path, "the aliases of this document stand for more than %d bytes: use fewer aliases", maxFile)
	}
	return d.expanded <= maxFile
}

// follow visits the value of an alias.
func (d *document) follow(path string, n *yaml.Node, visit func(*yaml.Node)) {
	if d.around[n.Alias] {
		d.problem(path, "the alias *%s stands inside the value that it stands for", n.Value)
		return
	}
	d.inside++
	visit(n.Alias)
	d.inside--
}

// visitMerge visits the fields that a merge key << adds to the map at path, except those that are taken. before are the keys of
// the map that stand before the merge key: for those kubectl uses the merged value, and YAML's specification the value in the
// map.
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
				d.problem(yamlnode.Join(path, name), "stands before the merge key <<, which sets it too: kubectl would use the merged value, "+
					"and YAML's specification this one; write << before it")
			}
		}
		d.visitMapping(path, n, depth, taken)
	default:
		d.problem(path, "has a merge key << whose value is neither a map nor a list of maps")
	}
}
