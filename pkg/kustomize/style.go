package kustomize

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// style is how a value is written: with quotes, below a "|" or a ">", in braces or brackets, behind its tag. As in kustomize a
// value takes the style of the one in whose place it comes, so it may hold what is for values of another kind.
type style uint8

// In the order of the library.
const (
	taggedStyle style = 1 << iota
	doubleStyle
	singleStyle
	literalStyle
	foldedStyle
	flowStyle

	plainStyle style = 0
	quotes           = doubleStyle | singleStyle | literalStyle | foldedStyle
)

// analysis is what a string's characters allow.
type analysis struct {
	multiline, special       bool
	plain, single, block, ok bool
}

// style picks how to write a string: as kustomize's emitter does.
func (a analysis) style(s string, key bool) style {
	want := plainStyle
	switch {
	case strings.IndexByte(s, '\n') >= 0:
		want = literalStyle
	case !plainString(s):
		want = doubleStyle
	}
	if key && a.multiline {
		want = doubleStyle
	}
	if want == plainStyle && (!a.plain || s == "" && key) {
		want = singleStyle
	}
	if want == singleStyle && !a.single {
		want = doubleStyle
	}
	if want == literalStyle && (!a.block || key) {
		want = doubleStyle
	}
	return want
}

func analyse(s string) analysis {
	if s == "" {
		return analysis{plain: true, single: true}
	}
	if simple(s) {
		return analysis{plain: true, single: true, block: true}
	}
	var indicators, special, breaks, edge, trailingSpace, breakSpace, spaceBreak bool
	if strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...") {
		indicators = true
	}
	before, previousSpace, previousBreak := true, false, false
	for i := 0; i < len(s); {
		if c := s[i]; i > 0 && c > ' ' && c <= '~' && c != ':' && c != '#' {
			before, previousSpace, previousBreak = false, false, false
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		end := i+size == len(s)
		followed := end || isBlank(s[i+size:])
		indicators = indicators || indicates(r, i == 0, before, followed)
		special = special || !printable(r)
		switch {
		case r == ' ':
			edge = edge || i == 0 || end
			trailingSpace = trailingSpace || end
			breakSpace = breakSpace || previousBreak
			previousSpace, previousBreak = true, false
		case isBreak(r):
			breaks = true
			edge = edge || i == 0 || end
			spaceBreak = spaceBreak || previousSpace
			previousSpace, previousBreak = false, true
		default:
			previousSpace, previousBreak = false, false
		}
		before = r == ' ' || r == '\t' || isBreak(r) || r == 0
		i += size
	}
	bad := spaceBreak || special
	return analysis{
		multiline: breaks,
		special:   special,
		plain:     !edge && !breakSpace && !bad && !breaks && !indicators,
		single:    !breakSpace && !bad,
		block:     !trailingSpace && !bad,
	}
}

// simple holds for names and the like, which need no closer look.
func simple(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '/' || c == '_' || i > 0 && (c == '.' || c == '-')) {
			return false
		}
	}
	return true
}

// indicates holds for characters that mean something in block context.
func indicates(r rune, first, before, followed bool) bool {
	if first {
		switch r {
		case '#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`':
			return true
		case '?', ':', '-':
			return followed
		}
		return false
	}
	switch r {
	case ':':
		return followed
	case '#':
		return before
	}
	return false
}

func isBlank(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == ' ' || r == '\t'
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

func printable(r rune) bool {
	// What needs four bytes, emoji above all, is escaped.
	return r == 0x0A || r >= 0x20 && r <= 0x7E || r >= 0xA0 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD && r != 0xFEFF
}

// plainString holds when YAML 1.1 reads the text as a string without quotes.
func plainString(s string) bool {
	if s == "" {
		return false
	}
	switch c := s[0]; {
	case c >= '0' && c <= '9', c == '+', c == '-', c == '.':
		return !numeric(s) && !timestamp(s) && !base60(s) && !word(s)
	case strings.IndexByte("yYnNtTfFoO~", c) >= 0:
		return !word(s)
	}
	return true
}

// nonString holds for text that gets quotes when it is put into a document: what YAML 1.1 reads as anything but a string, and
// dates are strings to kustomize's reader of it.
func nonString(s string) bool {
	if s == "" || strings.IndexByte(s, '\n') >= 0 {
		return false
	}
	if !analyse(s).plain {
		doc, err := readDocument(s, 0)
		switch {
		case err != nil:
			return false
		case doc == nil || doc.kind != scalarKind:
			return true
		case doc.quoted() || doc.value == "":
			return !doc.quoted()
		}
		s = doc.value
	}
	return !plainString(s) && !timestamp(s) && !base60(s)
}

// word holds for the names that YAML 1.1 gives to booleans, null and numbers that are none.
func word(s string) bool {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", "n", "N", "no", "No", "NO", "off", "Off", "OFF",
		"false", "False", "FALSE", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF",
		"+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
		return true
	}
	return false
}

func numeric(s string) bool {
	if s[0] == '.' {
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
	plain := strings.ReplaceAll(s, "_", "")
	if _, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return true
	}
	if _, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return true
	}
	if floatShaped(plain) {
		if _, err := strconv.ParseFloat(plain, 64); err == nil {
			return true
		}
	}
	return false
}

// floatShaped matches [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
func floatShaped(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	whole := digits(s)
	s = s[whole:]
	if s != "" && s[0] == '.' {
		fraction := digits(s[1:])
		if whole == 0 && fraction == 0 {
			return false
		}
		s = s[1+fraction:]
	} else if whole == 0 {
		return false
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && digits(s) == len(s)
}

func digits(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// base60 matches YAML 1.1's sexagesimal numbers, which are quoted for other parsers' sake.
func base60(s string) bool {
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || parts[0] == "" || digits(parts[0]) == 0 || strings.Trim(parts[0], "0123456789_") != "" {
		return false
	}
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			whole, fraction, dotted := strings.Cut(part, ".")
			if dotted && strings.Trim(fraction, "0123456789_") != "" {
				return false
			}
			part = whole
		}
		if digits(part) != len(part) || len(part) == 0 || len(part) > 2 || len(part) == 2 && part[0] > '5' {
			return false
		}
	}
	return true
}

func timestamp(s string) bool {
	if digits(s) != 4 || len(s) == 4 || s[4] != '-' {
		return false
	}
	for _, layout := range []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"} {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
