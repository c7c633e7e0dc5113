package kustomize

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// writer prints documents canonically: keys in natural order, sequences not indented, long plain text folded at 80
// columns, strings quoted when YAML 1.1 would take them for something else.
type writer struct {
	out []byte
	err error
	// flow is how many collections in braces or brackets are open: kustomize writes them so once in between.
	flow int
}

// writeYAML prints one document.
func writeYAML(out []byte, n *node) ([]byte, error) {
	w := &writer{out: out}
	w.value(n, 0, rootPlace)
	return w.out, w.err
}

// place says after what a value comes.
type place uint8

const (
	rootPlace place = iota
	keyPlace        // after "key:"
	dashPlace       // after "-"
)

func (w *writer) value(n *node, indent int, p place) {
	if n.braced() {
		w.flow++
		defer func() { w.flow-- }()
	}
	switch {
	case n == nil:
		w.inline("null", p)
	case n.kind == mapKind && len(n.items) == 0:
		w.inline("{}", p)
	case n.kind == seqKind && len(n.items) == 0:
		w.inline("[]", p)
	case n.kind == mapKind:
		w.mapping(n, indent, p)
	case n.kind == seqKind:
		w.sequence(n, indent, p)
	default:
		w.scalar(n, indent, p)
	}
}

// inline writes a short text at the end of a line.
func (w *writer) inline(s string, p place) {
	if p != rootPlace {
		w.out = append(w.out, ' ')
	}
	w.out = append(w.out, s...)
	w.out = append(w.out, '\n')
}

func (w *writer) mapping(n *node, indent int, p place) {
	order := keyOrder(n.keys, naturalOrder)
	for i := range n.keys {
		at := i
		if order != nil {
			at = order[i]
		}
		switch {
		case i > 0:
			w.indent(indent)
		case p == dashPlace:
			w.out = append(w.out, ' ')
		case p == keyPlace:
			w.out = append(w.out, '\n')
			w.indent(indent)
		}
		if w.err == nil {
			w.err = n.checkKey(at, p == rootPlace)
		}
		w.value(n.items[at], indent+2, w.key(n.keys[at], indent))
	}
}

// sequence writes items; one that is a mapping's value is not indented further than its key.
func (w *writer) sequence(n *node, indent int, p place) {
	if p == keyPlace {
		indent -= 2
		w.out = append(w.out, '\n')
	}
	for i, item := range n.items {
		switch {
		case i > 0 || p == keyPlace:
			w.indent(indent)
		case p == dashPlace:
			w.out = append(w.out, ' ')
		}
		w.out = append(w.out, '-')
		w.value(item, indent+2, dashPlace)
	}
}

func (w *writer) indent(n int) {
	const blanks = "                                "
	for n > len(blanks) {
		w.out = append(w.out, blanks...)
		n -= len(blanks)
	}
	w.out = append(w.out, blanks[:n]...)
}

// key gives the place of its value: behind a key of its own lines a collection begins as behind a dash.
func (w *writer) key(k string, indent int) place {
	s := analyse(k)
	if s.special && w.err == nil {
		w.err = keyThroughJSON(k)
	}
	if s.multiline || len(k) > 128 {
		w.out = append(w.out, '?')
		w.text(k, s, indent+2, dashPlace, false)
		w.out = append(w.out, '\n')
		w.indent(indent)
		w.out = append(w.out, ':')
		return dashPlace
	}
	w.text(k, s, indent, rootPlace, true)
	w.out = append(w.out, ':')
	return keyPlace
}

func (w *writer) scalar(n *node, indent int, p place) {
	// The commonest ones need no closer look.
	if s, ok := n.string(); ok {
		w.string(s, indent, p)
		return
	}
	if n.tag == intTag && n.style == plainStyle && len(n.value) < 18 && plainDecimal(n.value) && n.value != "-0" {
		w.inline(n.value, p)
		return
	}
	v, err := n.scalar(w.flow > 0)
	if err != nil {
		if w.err == nil {
			w.err = err
		}
		return
	}
	switch v := v.(type) {
	case nil:
		w.inline("null", p)
	case bool:
		if v {
			w.inline("true", p)
		} else {
			w.inline("false", p)
		}
	case string:
		w.string(v, indent, p)
	default:
		w.inline(formatNumber(v), p)
	}
}

func (w *writer) string(s string, indent int, p place) {
	if !utf8.ValidString(s) {
		// On the way through JSON each byte that belongs to no character becomes one.
		s = string([]rune(s))
	}
	a := analyse(s)
	if a.special {
		var err error
		if s, err = throughJSON(s); err != nil && w.err == nil {
			w.err = err
		}
		a = analyse(s)
	}
	w.text(s, a, indent, p, false)
	w.out = append(w.out, '\n')
}

// text writes a string in the style that fits it. Only values may be folded; keys stay on a line.
func (w *writer) text(s string, a analysis, indent int, p place, key bool) {
	style := a.style(s, key)
	if p != rootPlace {
		w.out = append(w.out, ' ')
	}
	// Literal text ends with its own line break; the caller adds the one of any other.
	switch style {
	case plainStyle:
		w.folded(s, indent, !key)
	case singleStyle:
		w.single(s, indent, !key)
	case doubleStyle:
		w.double(s, indent, !key)
	case literalStyle:
		w.literal(s, indent)
	}
}

// col counts the characters since the last line break.
func (w *writer) col() int {
	i := len(w.out)
	for i > 0 && w.out[i-1] != '\n' {
		i--
	}
	return utf8.RuneCount(w.out[i:])
}

const bestWidth = 80

// folded writes plain text, breaking at single spaces past the width.
func (w *writer) folded(s string, indent int, breaks bool) {
	if !breaks || strings.IndexByte(s, ' ') < 0 {
		w.out = append(w.out, s...)
		return
	}
	column := w.col()
	if column+len(s) <= bestWidth {
		w.out = append(w.out, s...)
		return
	}
	spaces := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != ' ' {
			w.out = append(w.out, c)
			if c < 0x80 || c >= 0xC0 {
				column++
			}
			spaces = false
			continue
		}
		if !spaces && column > bestWidth && i+1 < len(s) && s[i+1] != ' ' {
			w.out = append(w.out, '\n')
			w.indent(indent)
			column = indent
		} else {
			w.out = append(w.out, ' ')
			column++
		}
		spaces = true
	}
}

func (w *writer) single(s string, indent int, breaks bool) {
	w.out = append(w.out, '\'')
	column := w.col()
	spaces, broken := false, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == ' ':
			if breaks && !spaces && column > bestWidth && i > 0 && i < len(s)-1 && s[i+1] != ' ' {
				w.out = append(w.out, '\n')
				w.indent(indent)
				column = indent
			} else {
				w.out = append(w.out, ' ')
				column++
			}
			spaces = true
		case isBreak(rune(c)) || c >= 0x80 && isBreak(runeAt(s, i)):
			// Only a line feed is doubled, so that it is not read as a space.
			if c == '\n' && !broken {
				w.out = append(w.out, '\n')
			}
			_, size := utf8.DecodeRuneInString(s[i:])
			w.out = append(w.out, s[i:i+size]...)
			i += size - 1
			broken, column = true, 0
		default:
			if broken {
				w.indent(indent)
				column = indent
			}
			if c == '\'' {
				w.out = append(w.out, '\'')
				column++
			}
			w.out = append(w.out, c)
			if c < 0x80 || c >= 0xC0 {
				column++
			}
			spaces, broken = false, false
		}
	}
	w.out = append(w.out, '\'')
}

func runeAt(s string, i int) rune {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return r
}

const hexDigits = "0123456789ABCDEF"

func (w *writer) double(s string, indent int, breaks bool) {
	w.out = append(w.out, '"')
	column := w.col()
	spaces := false
	// With a byte order mark at the beginning, kustomize takes every character for one.
	marked := strings.HasPrefix(s, "\uFEFF")
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case marked || !printable(r) || r == 0xFEFF || isBreak(r) || r == '"' || r == '\\':
			before := len(w.out)
			w.escape(r)
			column += len(w.out) - before
			spaces = false
		case r == ' ':
			if breaks && !spaces && column > bestWidth && i > 0 && i < len(s)-1 {
				w.out = append(w.out, '\n')
				w.indent(indent)
				column = indent
				if s[i+1] == ' ' {
					w.out = append(w.out, '\\')
					column++
				}
			} else {
				w.out = append(w.out, ' ')
				column++
			}
			spaces = true
		default:
			w.out = append(w.out, s[i:i+size]...)
			column++
			spaces = false
		}
		i += size
	}
	w.out = append(w.out, '"')
}

func (w *writer) escape(r rune) {
	w.out = append(w.out, '\\')
	short := map[rune]byte{0: '0', 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 0x1b: 'e', '"': '"', '\\': '\\',
		0x85: 'N', 0xA0: '_', 0x2028: 'L', 0x2029: 'P'}
	if c, ok := short[r]; ok {
		w.out = append(w.out, c)
		return
	}
	digits := 8
	switch {
	case r <= 0xFF:
		digits = 2
		w.out = append(w.out, 'x')
	case r <= 0xFFFF:
		digits = 4
		w.out = append(w.out, 'u')
	default:
		w.out = append(w.out, 'U')
	}
	for k := (digits - 1) * 4; k >= 0; k -= 4 {
		w.out = append(w.out, hexDigits[r>>k&0xF])
	}
}

// separatorByte begins U+2028 and U+2029, the only line breaks in literal text besides the usual one.
const separatorByte = 0xE2

// literal writes a "|" block without the last line break.
func (w *writer) literal(s string, indent int) {
	w.out = append(w.out, '|')
	first, _ := utf8.DecodeRuneInString(s)
	if first == ' ' || isBreak(first) {
		w.out = append(w.out, '2')
	}
	last, size := utf8.DecodeLastRuneInString(s)
	if !isBreak(last) {
		w.out = append(w.out, '-')
	} else if before, _ := utf8.DecodeLastRuneInString(s[:len(s)-size]); size == len(s) || isBreak(before) {
		w.out = append(w.out, '+')
	}
	w.out = append(slices.Grow(w.out, len(s)+(indent+1)*(strings.Count(s, "\n")+1)), '\n')
	broken := true
	for i := 0; i < len(s); {
		// A line is copied at once up to what may be another kind of line break.
		if n := lineEnd(s, i) - i; n > 0 && strings.IndexByte(s[i:i+n], separatorByte) < 0 {
			if broken {
				w.indent(indent)
			}
			w.out = append(w.out, s[i:i+n]...)
			broken = false
			i += n
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if isBreak(r) {
			// A carriage return or Unicode line break is kept as it is.
			w.out = append(w.out, s[i:i+size]...)
			broken = true
		} else {
			if broken {
				w.indent(indent)
			}
			w.out = append(w.out, s[i:i+size]...)
			broken = false
		}
		i += size
	}
	if broken && len(w.out) > 0 && w.out[len(w.out)-1] == '\n' {
		w.out = w.out[:len(w.out)-1]
	}
}
