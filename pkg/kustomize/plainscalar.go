package kustomize

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// regular holds for text without characters that need a closer look: control characters, byte order marks, foreign line
// breaks, what is no UTF-8.
func regular(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c < 0x7F || c == '\n' || c == '\t' {
			continue
		}
		if c < utf8.RuneSelf {
			return false
		}
		c2, size := utf8.DecodeRuneInString(s[i:])
		if c2 == utf8.RuneError || isBreak(c2) || c2 < 0x10000 && !printable(c2) {
			// What needs four bytes, emoji above all, is read as it is; only writing it takes escapes.
			return false
		}
		i += size - 1
	}
	return true
}

// key reads a key and its colon. ok is false, and nothing is read, if there is none.
func (r *plainReader) key() (key string, ok bool) {
	s, i := r.text, r.pos
	if s[i] == '"' || s[i] == '\'' {
		line := r.line
		n := r.quoted()
		if r.odd || r.line != line || r.pos >= len(s) || s[r.pos] != ':' || !blankAt(s, r.pos+1) || r.pos-i > plainKey {
			// What it is instead is read again.
			r.pos, r.line = i, line
			return "", false
		}
		r.pos++
		return n.value, true
	}
	if !plainStart(s, i) {
		return "", false
	}
	for end := i; end < len(s) && s[end] != '\n'; end++ {
		switch s[end] {
		case ':':
			if !blankAt(s, end+1) {
				continue
			}
			key = s[i:end]
			if end-i > plainKey || s[end-1] == ' ' || plainTag(key) != strTag {
				r.odd = true
			}
			r.pos = end + 1
			return key, true
		case '\t':
			r.odd = true
			return "", false
		case '#':
			if s[end-1] == ' ' {
				return "", false
			}
		}
	}
	return "", false
}

// plainStart holds where a scalar without quotes may begin.
func plainStart(s string, i int) bool {
	switch c := s[i]; c {
	case ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`', '?', ':', '<', ' ', '\n', '\t':
		return false
	case '-':
		return !blankAt(s, i+1) && s[i+1] != '\t'
	}
	return true
}

// plain reads a scalar without quotes, which may go on over lines that are further in than parent.
func (r *plainReader) plain(parent int) *node {
	if !plainStart(r.text, r.pos) {
		return r.giveUp()
	}
	n := r.new(scalarKind)
	n.value = r.plainLine()
	if !r.odd {
		r.endLine()
	}
	if !r.odd && r.indent > parent {
		n.value = r.plainLines(n.value, parent)
	}
	n.tag = plainTag(n.value)
	return n
}

// plainLines folds the lines that follow the first one.
func (r *plainReader) plainLines(first string, parent int) string {
	r.lines = append(r.lines[:0], first...)
	for !r.odd && r.indent > parent {
		if r.comments {
			r.odd = true
			break
		}
		if r.blanks == 0 {
			r.lines = append(r.lines, ' ')
		}
		for range r.blanks {
			r.lines = append(r.lines, '\n')
		}
		r.lines = append(r.lines, r.plainLine()...)
		r.endLine()
	}
	return string(r.lines)
}

// plainLine reads to the end of the line, or to a comment.
func (r *plainReader) plainLine() string {
	end := lineEnd(r.text, r.pos)
	line := r.text[r.pos:end]
	if i := strings.Index(line, " #"); i >= 0 {
		line = line[:i]
	}
	line = strings.TrimRight(line, " ")
	if strings.HasSuffix(line, ":") || strings.Contains(line, ": ") || strings.IndexByte(line, '\t') >= 0 {
		r.odd = true
	}
	r.pos += len(line)
	return line
}

// plainTag says what a scalar without quotes stands for.
func plainTag(s string) tag {
	if s == "" {
		return nullTag
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9':
		if n := digits(s); n == len(s) && n < 18 && (c != '0' || n == 1) {
			return intTag
		}
	case c == '+', c == '-', c == '.':
	case strings.IndexByte("yYnNtTfFoO~", c) >= 0:
		// Only words of these are no strings.
		if !word(s) {
			return strTag
		}
		if s == "true" || s == "false" {
			return boolTag
		}
	default:
		return strTag
	}
	n := yaml.Node{Kind: yaml.ScalarNode, Value: s}
	n.Tag = n.ShortTag()
	return tagOf(&n)
}

// literal reads "|", "|-" or "|+" and the lines below.
func (r *plainReader) literal(parent int) *node {
	n := r.new(scalarKind)
	n.tag, n.style = strTag, literalStyle
	s, i := r.text, r.pos+1
	chomp := byte(0)
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		chomp = s[i]
		i++
	}
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i >= len(s) || s[i] != '\n' {
		return r.giveUp()
	}
	i++
	indent := literalIndent(s[i:])
	if indent <= parent || indent == 0 {
		return r.giveUp()
	}
	breaks := 0
	r.lines = r.lines[:0]
	for i < len(s) {
		k := i
		for k < len(s) && k-i < indent && s[k] == ' ' {
			k++
		}
		if k == len(s) {
			return r.giveUp()
		}
		if s[k] == '\n' {
			breaks++
			i = k + 1
			r.line++
			continue
		}
		if k-i < indent {
			break
		}
		for range breaks {
			r.lines = append(r.lines, '\n')
		}
		end := lineEnd(s, k)
		r.lines = append(r.lines, s[k:end]...)
		breaks = 0
		if i = end; end < len(s) {
			i, breaks = end+1, 1
			r.line++
		}
	}
	if chomp == 0 && breaks > 1 {
		breaks = 1
	}
	for range breaks {
		if chomp != '-' {
			r.lines = append(r.lines, '\n')
		}
	}
	n.value = string(r.lines)
	r.startLine(i)
	return n
}

// literalIndent is the column of the first line that is not blank; 0 if that is unclear.
func literalIndent(s string) int {
	for blank := 0; ; {
		i := 0
		for i < len(s) && s[i] == ' ' {
			i++
		}
		switch {
		case i == len(s) || s[i] == '\t':
			return 0
		case s[i] != '\n':
			if blank > i {
				return 0
			}
			return i
		}
		blank = max(blank, i)
		s = s[i+1:]
	}
}

// quoted reads a scalar in quotes.
func (r *plainReader) quoted() *node {
	n := r.new(scalarKind)
	s, quote := r.text[r.pos+1:], r.text[r.pos]
	n.tag, n.style = strTag, doubleStyle
	if quote == '\'' {
		n.style = singleStyle
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == quote && (quote == '"' || i+1 >= len(s) || s[i+1] != quote):
			n.value = s[:i]
			r.pos += i + 2
			return n
		case c == quote, c == '\n', c == '\t', c == '\\' && quote == '"':
			r.lines = append(r.lines[:0], strings.TrimRight(s[:i], " ")...)
			return r.quotedLines(n, r.pos+1+len(r.lines))
		}
	}
	return r.giveUp()
}

// quotedLines reads on from i, with escapes, and with lines folded.
func (r *plainReader) quotedLines(n *node, i int) *node {
	quote := r.text[r.pos]
	for s := r.text; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\n':
			i = r.folds(i)
			continue
		case c == quote:
			if i++; quote == '"' || i == len(s) || s[i] != quote {
				n.value = string(r.lines)
				r.pos = i
				return n
			}
		case c == '\\' && quote == '"':
			if i++; i < len(s) {
				c = unescaped(s[i])
			}
			if c == 0 {
				return r.giveUp()
			}
		case c == '\t':
			return r.giveUp()
		}
		r.lines = append(r.lines, c)
		i++
	}
	return r.giveUp()
}

// folds takes in blanks inside quotes: as they are, or as one blank if a line breaks there, or as the empty lines.
func (r *plainReader) folds(i int) int {
	s, start, breaks := r.text, i, 0
	column := 1
	for ; i < len(s) && (s[i] == ' ' || s[i] == '\n'); i++ {
		if column++; s[i] == '\n' {
			r.line++
			column = 0
			breaks++
		}
	}
	if column == 0 || i < len(s) && s[i] == '\t' {
		r.odd = true
	}
	switch breaks {
	case 0:
		r.lines = append(r.lines, s[start:i]...)
	case 1:
		r.lines = append(r.lines, ' ')
	}
	for range breaks - 1 {
		r.lines = append(r.lines, '\n')
	}
	return i
}

// unescaped gives what the commonest escapes stand for, 0 for others.
func unescaped(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	return 0
}
