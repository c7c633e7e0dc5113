package explain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// indent puts blanks before every line, the last and empty one too.
func indent(n int, text string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
}

// wrap breaks lines at blanks so that none is longer than limit, unless a word is. Blanks within a line stay as they are.
func wrap(limit int, text string) string {
	var out, space, word strings.Builder
	at := 0 // runes on the line
	length := func(b *strings.Builder) int { return utf8.RuneCountInString(b.String()) }
	flush := func() {
		at += length(&space) + length(&word)
		out.WriteString(space.String() + word.String())
		space.Reset()
		word.Reset()
	}
	for _, c := range text {
		switch {
		case c == '\n':
			if word.Len() > 0 || at+length(&space) <= limit {
				flush()
			}
			space.Reset()
			out.WriteRune(c)
			at = 0
		case unicode.IsSpace(c) && c != '\u00a0':
			if space.Len() == 0 || word.Len() > 0 {
				flush()
			}
			space.WriteRune(c)
		default:
			word.WriteRune(c)
			if at+length(&space)+length(&word) > limit && length(&word) < limit {
				out.WriteByte('\n')
				at = 0
				space.Reset()
			}
		}
	}
	if word.Len() > 0 || at+length(&space) <= limit {
		flush()
	}
	return out.String()
}
