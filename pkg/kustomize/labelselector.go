package kustomize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// labelSelector is what labels, or annotations, must all fulfil. The library of Kubernetes for it would double the time that
// a small build takes to begin.
type labelSelector []requirement

// requirement is one of a key: "" for its presence, "!" for its absence, or =, ==, !=, in, notin, > or <.
type requirement struct {
	key, operator string
	values        []string
}

func (s labelSelector) matches(labels map[string]string) bool {
	return !slices.ContainsFunc(s, func(r requirement) bool { return !r.holds(labels) })
}

func (r requirement) holds(labels map[string]string) bool {
	value, has := labels[r.key]
	switch r.operator {
	case "!":
		return !has
	case "!=", "notin":
		return !has || !slices.Contains(r.values, value)
	case "=", "==", "in":
		return has && slices.Contains(r.values, value)
	case ">", "<":
		have, err := strconv.ParseInt(value, 10, 64)
		want, errWant := strconv.ParseInt(r.values[0], 10, 64)
		return has && err == nil && errWant == nil && (r.operator == ">" && have > want || r.operator == "<" && have < want)
	}
	return has
}

// selectorReader takes a selector apart. word is the next one: a name, a value or an operator, "" at the end.
type selectorReader struct{ rest, word string }

const (
	blanks    = " \t\r\n"
	operators = "=!(),><"
)

func (r *selectorReader) next() {
	r.rest = strings.TrimLeft(r.rest, blanks)
	n := strings.IndexAny(r.rest, operators+blanks+"\x00")
	switch {
	case n < 0:
		n = len(r.rest)
	case n == 0 && (strings.HasPrefix(r.rest, "==") || strings.HasPrefix(r.rest, "!=")):
		n = 2
	case n == 0 && r.rest[0] != 0:
		n = 1
	}
	if r.word = r.rest[:n]; r.word != "" {
		// A null byte is the end, or, right behind a word, only the end of that.
		r.rest = strings.TrimPrefix(r.rest[n:], "\x00")
	}
}

// isName holds for what is no operator made of signs.
func (r *selectorReader) isName() bool {
	return r.word != "" && !strings.Contains(operators, r.word[:1])
}

func (r *selectorReader) expected(what string) error {
	return fmt.Errorf("found '%s', expected: %s", r.word, what)
}

func parseLabelSelector(s string) (list labelSelector, err error) {
	r := &selectorReader{rest: s}
	if r.next(); r.word == "" {
		return nil, nil
	}
	for {
		if !r.isName() && r.word != "!" {
			return nil, r.expected("!, identifier, or 'end of string'")
		}
		one, err := r.requirement()
		if err != nil {
			return nil, fmt.Errorf("unable to parse requirement: %w", err)
		}
		list = append(list, one)
		switch r.word {
		case "":
			return list, nil
		case ",":
			r.next()
		default:
			return nil, r.expected("',' or 'end of string'")
		}
	}
}

func (r *selectorReader) requirement() (q requirement, err error) {
	if r.word == "!" {
		q.operator = r.word
		r.next()
	}
	if !r.isName() {
		return q, r.expected("identifier")
	}
	if q.key = r.word; !isLabelKey(q.key) {
		return q, fmt.Errorf("invalid label key %q: it has up to 63 letters, digits, '-', '_' or '.', which begin and end with a letter "+
			"or digit, and perhaps a domain and '/' before them", q.key)
	}
	if r.next(); q.operator == "!" || r.word == "" || r.word == "," {
		return q, nil
	}
	q.operator = r.word
	r.next()
	switch q.operator {
	case "in", "notin":
		q.values, err = r.values()
	case "=", "==", "!=", ">", "<":
		q.values, err = r.exact()
	default:
		return q, fmt.Errorf("found '%s', expected: in, notin, =, ==, !=, >, <", q.operator)
	}
	if err != nil {
		return q, err
	}
	return q, q.check()
}

// exact reads a value, which may be empty.
func (r *selectorReader) exact() ([]string, error) {
	if r.word == "" || r.word == "," {
		return []string{""}, nil
	}
	if !r.isName() {
		return nil, r.expected("identifier")
	}
	defer r.next()
	return []string{r.word}, nil
}

// values reads a list in parentheses. Between two commas, and beside one at an end, there is an empty value.
func (r *selectorReader) values() (list []string, err error) {
	if r.word != "(" {
		return nil, r.expected("'('")
	}
	for {
		value := ""
		if r.next(); r.isName() {
			value = r.word
			r.next()
		}
		list = append(list, value)
		switch r.word {
		case ",":
		case ")":
			r.next()
			return list, nil
		default:
			return nil, r.expected("',' or ')'")
		}
	}
}

func (q requirement) check() error {
	for _, v := range q.values {
		if v != "" && !isLabelName(v) {
			return fmt.Errorf("invalid label value: %q: at key: %q: it has up to 63 letters, digits, '-', '_' or '.', which begin and end "+
				"with a letter or digit", v, q.key)
		}
		if q.operator == ">" || q.operator == "<" {
			if _, err := strconv.ParseInt(v, 10, 64); err != nil {
				return fmt.Errorf("for 'Gt', 'Lt' operators, the value must be an integer: %q", v)
			}
		}
	}
	return nil
}

func isLabelKey(s string) bool {
	domain, name, ok := strings.Cut(s, "/")
	if !ok {
		return isLabelName(s)
	}
	if domain == "" || len(domain) > 253 {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !isWord(label, "-") || strings.ToLower(label) != label {
			return false
		}
	}
	return isLabelName(name)
}

func isLabelName(s string) bool { return len(s) <= 63 && isWord(s, "-_.") }

// isWord holds for letters and digits with some signs, which do not begin or end it.
func isWord(s, signs string) bool {
	for i := range len(s) {
		alphanumeric := s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9'
		if !alphanumeric && (i == 0 || i == len(s)-1 || strings.IndexByte(signs, s[i]) < 0) {
			return false
		}
	}
	return s != ""
}
