package kustomize

// flowValue reads what stands in braces or brackets, all on one line.
func (r *plainReader) flowValue(depth int) *node {
	if depth > plainDepth || r.blank() {
		return r.giveUp()
	}
	switch r.text[r.pos] {
	case '{':
		return r.flowMapping(depth)
	case '[':
		return r.flowSequence(depth)
	case '"', '\'':
		return r.quoted()
	}
	n := r.new(scalarKind)
	n.value = r.flowPlain()
	if n.value == "" {
		return r.giveUp()
	}
	n.tag = plainTag(n.value)
	return n
}

// blank passes spaces, and holds if the line is over.
func (r *plainReader) blank() bool {
	for r.pos < len(r.text) && r.text[r.pos] == ' ' {
		r.pos++
	}
	return r.pos >= len(r.text) || r.text[r.pos] == '\n'
}

// next passes spaces and one character, if it is c.
func (r *plainReader) next(c byte) bool {
	if r.blank() || r.text[r.pos] != c {
		return false
	}
	r.pos++
	return true
}

func (r *plainReader) flowSequence(depth int) *node {
	n, from := r.new(seqKind), len(r.items)
	n.style = flowStyle
	r.pos++
	if r.next(']') {
		return n
	}
	for {
		v := r.flowValue(depth + 1)
		r.items = append(r.items, v)
		switch {
		case r.odd:
			return nil
		case r.next(']'):
			return r.elements(n, from)
		case !r.next(','):
			return r.giveUp()
		}
	}
}

func (r *plainReader) flowMapping(depth int) *node {
	n, from := r.new(mapKind), len(r.keys)
	n.style = flowStyle
	r.pos++
	if r.next('}') {
		return n
	}
	for {
		key, ok := r.flowKey()
		if !ok {
			return r.giveUp()
		}
		r.keys = append(r.keys, key)
		v := r.flowValue(depth + 1)
		r.items = append(r.items, v)
		switch {
		case r.odd:
			return nil
		case r.next('}'):
			return r.fields(n, from)
		case !r.next(','):
			return r.giveUp()
		}
	}
}

func (r *plainReader) flowKey() (key string, ok bool) {
	if r.blank() {
		return "", false
	}
	start, line, quoted := r.pos, r.line, false
	if c := r.text[r.pos]; c == '"' || c == '\'' {
		n := r.quoted()
		if r.odd || r.line != line {
			return "", false
		}
		key, quoted = n.value, true
	} else if key = r.flowPlain(); key == "" || plainTag(key) != strTag {
		return "", false
	}
	if r.pos-start > plainKey || r.pos >= len(r.text) || r.text[r.pos] != ':' || !quoted && !blankAt(r.text, r.pos+1) {
		return "", false
	}
	r.pos++
	return key, true
}

// flowPlain reads a simple scalar without quotes; "" if it is not that simple.
func (r *plainReader) flowPlain() string {
	s, start := r.text, r.pos
	if c := s[start]; !wordChar(c) && c != '/' && c != '.' && (c != '-' || start+1 >= len(s) || !wordChar(s[start+1])) {
		return ""
	}
	i := start
	for ; i < len(s); i++ {
		c := s[i]
		if c == ',' || c == ']' || c == '}' || c == ':' && blankAt(s, i+1) {
			break
		}
		if c == ':' && (wordChar(s[i+1]) || s[i+1] == '/') || wordChar(c) {
			continue
		}
		switch c {
		case ' ', '/', '.', '-', '+', '=', '@', '$', '(', ')', '~', '^', ';', '<':
			continue
		}
		return ""
	}
	r.pos = i
	for i > start && s[i-1] == ' ' {
		i--
	}
	return s[start:i]
}

func wordChar(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
