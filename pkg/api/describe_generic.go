package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// shownInHead are the fields that a generic description does not repeat.
var shownInHead = []string{".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations"}

// DescribeGeneric writes any object field by field: what `describe` prints of kinds without a Describe facet, custom
// resources above all.
func DescribeGeneric(ctx context.Context, w *DescribeWriter, c Reader, obj *unstructured.Unstructured) error {
	w.Head(obj)
	w.fields(0, obj.Object, "")
	w.EventsOf(ctx, c, obj, obj.GetKind())
	return nil
}

func (w *DescribeWriter) fields(level int, content map[string]any, path string) {
	for _, name := range slices.Sorted(maps.Keys(content)) {
		here := path + "." + name
		if slices.Contains(shownInHead, here) {
			continue
		}
		switch value := content[name].(type) {
		case map[string]any:
			w.Print(level, "%s:\n", fieldLabel(name))
			w.fields(level+1, value, here)
		case []any:
			w.Print(level, "%s:\n", fieldLabel(name))
			for _, entry := range value {
				if m, ok := entry.(map[string]any); ok {
					w.fields(level+1, m, here)
				} else {
					w.Print(level+1, "%v\n", entry)
				}
			}
		default:
			w.Field(level, fieldLabel(name), value)
		}
	}
}

var acronyms = []string{"API", "URL", "UID", "GUID"}

// fieldLabel makes words of a field's name: "creationTimestamp" becomes "Creation Timestamp", "apiVersion" "API Version". A
// name with anything but letters and dashes stays as it is.
func fieldLabel(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' }) {
		return name
	}
	words := camelWords(name)
	for i, word := range words {
		switch {
		case slices.Contains(acronyms, strings.ToUpper(word)):
			words[i] = strings.ToUpper(word)
		case strings.ToLower(word) == word:
			r, n := utf8.DecodeRuneInString(word)
			words[i] = string(unicode.ToTitle(r)) + word[n:]
		}
	}
	return strings.Join(words, " ")
}

// camelWords parts a name where the case or the kind of character changes; of several capitals before small letters the last
// one begins the next word.
func camelWords(name string) []string {
	var words []string
	class := func(r rune) int {
		switch {
		case unicode.IsLower(r):
			return 1
		case unicode.IsUpper(r):
			return 2
		}
		return 3
	}
	last := 0
	for _, r := range name {
		if c := class(r); c == last {
			words[len(words)-1] += string(r)
		} else {
			words, last = append(words, string(r)), c
		}
	}
	for i := 0; i+1 < len(words); i++ {
		upper, n := utf8.DecodeLastRuneInString(words[i])
		next, _ := utf8.DecodeRuneInString(words[i+1])
		if unicode.IsUpper(upper) && unicode.IsLower(next) {
			words[i], words[i+1] = words[i][:len(words[i])-n], string(upper)+words[i+1]
		}
	}
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	return joinCapitals(words)
}

// joinCapitals puts a word of two and more capitals and a capitalized one after it together, as kubectl does.
func joinCapitals(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		if i+1 < len(words) && len(word) >= 2 && strings.ToUpper(word) == word {
			if next, _ := utf8.DecodeRuneInString(words[i+1]); unicode.IsUpper(next) {
				word += words[i+1]
				i++
			}
		}
		out = append(out, word)
	}
	return out
}
