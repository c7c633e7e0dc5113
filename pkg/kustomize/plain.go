package kustomize

import (
	"strings"
	"sync/atomic"
)

// plainReader reads the YAML that nearly all manifests are written in: block mappings and sequences of plain, quoted and
// literal scalars, and short flow collections. It reads them exactly as the library does, several times as fast. Whatever
// is odd (anchors, tags, tabs, folded text, quotes over several lines, every error) it gives up on, and the library has
// its say; FuzzPlain compares the two.
type plainReader struct {
	text string
	pos  int
	// indent is the column of pos when pos is the first character of a line or of an item; -1 at the end.
	indent       int
	line, before int32
	// blanks and comments tell what lay before pos.
	blanks   int
	comments bool
	odd      bool
	// values is how many more values the file may have.
	values *atomic.Int64
	slab   []node
	keys   []string
	items  []*node
	lines  []byte
}

// Bounds of what is read without the library.
const (
	plainDepth = 500
	plainKey   = 1000
	slabSize   = 128
)

// readPlain reads one document whose first line is the one after line. ok is false if the library must read it.
func readPlain(text string, line int, values *atomic.Int64) (n *node, ok bool) {
	if !regular(text) {
		return nil, false
	}
	r := &plainReader{text: text, line: int32(line), before: int32(line), values: values}
	r.begin()
	if r.odd || r.indent < 0 {
		return nil, false
	}
	n = r.block(-1, 0)
	if r.odd || r.indent >= 0 || n.kind == scalarKind {
		return nil, false
	}
	return n, true
}

func (r *plainReader) giveUp() *node {
	r.odd = true
	return nil
}

func (r *plainReader) new(k kind) *node {
	if len(r.slab) == 0 {
		// A guess at the values that are left, since most documents are small: a field takes a dozen characters.
		size := min(slabSize, (len(r.text)-r.pos)/12+4)
		if r.values.Add(int64(-size)) < 0 {
			r.odd = true
		}
		r.slab = make([]node, size)
	}
	n := &r.slab[0]
	r.slab = r.slab[1:]
	n.kind, n.line, n.before = k, r.line, r.before
	return n
}

// begin goes to the first content of the document.
func (r *plainReader) begin() {
	if rest, ok := strings.CutPrefix(r.text, "---"); ok {
		i := len(r.text) - len(rest)
		for i < len(r.text) && r.text[i] == ' ' {
			i++
		}
		if i < len(r.text) && r.text[i] != '\n' {
			r.odd = true
			return
		}
		r.line++
		r.pos = i
		r.endLine()
		return
	}
	r.startLine(0)
}

// endLine passes what may follow a value, blanks and a comment, and goes to the next content.
func (r *plainReader) endLine() {
	s, i := r.text, r.pos
	for i < len(s) && s[i] == ' ' {
		i++
	}
	r.comments = i < len(s) && s[i] == '#' && s[i-1] == ' '
	if r.comments {
		i = lineEnd(s, i)
	}
	if i < len(s) && s[i] != '\n' {
		r.odd = true
		return
	}
	commented := r.comments
	r.startLine(i + 1)
	r.comments = r.comments || commented
}

// startLine goes to the first content at or after the line that begins at i.
func (r *plainReader) startLine(i int) {
	s := r.text
	r.blanks, r.comments = 0, false
	for {
		r.line++
		start := i
		for i < len(s) && s[i] == ' ' {
			i++
		}
		if i >= len(s) {
			r.pos, r.indent = len(s), -1
			return
		}
		switch s[i] {
		case '\n':
			r.blanks++
			i++
			continue
		case '#':
			r.comments = true
			i = lineEnd(s, i) + 1
			continue
		case '\t', '%':
			r.odd = true
		case '-', '.':
			r.odd = r.odd || i == start && (strings.HasPrefix(s[i:], "---") || strings.HasPrefix(s[i:], "..."))
		}
		r.pos, r.indent = i, i-start
		return
	}
}

func lineEnd(s string, i int) int {
	if n := strings.IndexByte(s[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(s)
}

// blankAt holds at a space, a line break and the end.
func blankAt(s string, i int) bool { return i >= len(s) || s[i] == ' ' || s[i] == '\n' }

func (r *plainReader) isDash() bool { return r.text[r.pos] == '-' && blankAt(r.text, r.pos+1) }

// block reads what begins at pos. parent is the column of the collection that it is in.
func (r *plainReader) block(parent, depth int) *node {
	if depth > plainDepth {
		return r.giveUp()
	}
	if r.isDash() {
		return r.sequence(depth)
	}
	if key, ok := r.key(); ok {
		return r.mapping(key, depth)
	}
	return r.inline(parent, depth)
}

func (r *plainReader) mapping(key string, depth int) *node {
	indent, from := r.indent, len(r.keys)
	n := r.new(mapKind)
	for ok := true; ; {
		r.keys = append(r.keys, key)
		v := r.value(indent, depth)
		r.items = append(r.items, v)
		if r.odd || r.indent > indent {
			return r.giveUp()
		}
		if r.indent < indent {
			break
		}
		if key, ok = r.key(); !ok {
			return r.giveUp()
		}
	}
	return r.fields(n, from)
}

// fields closes a mapping with the keys and items since from.
func (r *plainReader) fields(n *node, from int) *node {
	keys := r.keys[from:]
	if hasDuplicate(keys) {
		return r.giveUp()
	}
	n.keys = append(make([]string, 0, len(keys)), keys...)
	r.keys = r.keys[:from]
	return r.elements(n, len(r.items)-len(keys))
}

// elements closes a collection with the items since from.
func (r *plainReader) elements(n *node, from int) *node {
	items := r.items[from:]
	n.items = append(make([]*node, 0, len(items)), items...)
	r.items = r.items[:from]
	return n
}

func hasDuplicate(keys []string) bool {
	if len(keys) < indexed {
		for i, k := range keys {
			for _, other := range keys[:i] {
				if k == other {
					return true
				}
			}
		}
		return false
	}
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if seen[k] {
			return true
		}
		seen[k] = true
	}
	return false
}

// value reads what follows "key:".
func (r *plainReader) value(indent, depth int) *node {
	if !r.lineIsOver() {
		return r.inline(indent, depth+1)
	}
	line := r.line
	r.endLine()
	switch {
	case r.odd:
		return nil
	case r.indent > indent:
		return r.block(indent, depth+1)
	case r.indent == indent && r.isDash():
		return r.sequence(depth + 1)
	}
	return r.null(line)
}

func (r *plainReader) null(line int32) *node {
	n := r.new(scalarKind)
	n.tag, n.line = nullTag, line
	return n
}

// lineIsOver passes blanks, and holds if nothing but a comment follows.
func (r *plainReader) lineIsOver() bool {
	s := r.text
	for r.pos < len(s) && s[r.pos] == ' ' {
		r.pos++
	}
	return r.pos >= len(s) || s[r.pos] == '\n' || s[r.pos] == '#'
}

func (r *plainReader) sequence(depth int) *node {
	indent, from := r.indent, len(r.items)
	n := r.new(seqKind)
	for {
		v := r.item(indent, depth)
		r.items = append(r.items, v)
		if r.odd || r.indent > indent {
			return r.giveUp()
		}
		if r.indent < indent || !r.isDash() {
			return r.elements(n, from)
		}
	}
}

func (r *plainReader) item(indent, depth int) *node {
	dash, line := r.pos, r.line
	r.pos++
	if !r.lineIsOver() {
		r.indent = indent + r.pos - dash
		return r.block(indent, depth+1)
	}
	r.endLine()
	switch {
	case r.odd:
		return nil
	case r.indent > indent:
		return r.block(indent, depth+1)
	}
	return r.null(line)
}

// inline reads a scalar or a flow collection, and goes on to the next content.
func (r *plainReader) inline(parent, depth int) *node {
	var n *node
	switch c := r.text[r.pos]; c {
	case '|':
		return r.literal(parent)
	case '"', '\'':
		n = r.quoted()
	case '{', '[':
		n = r.flowValue(depth)
	default:
		return r.plain(parent)
	}
	if !r.odd {
		r.endLine()
	}
	return n
}
