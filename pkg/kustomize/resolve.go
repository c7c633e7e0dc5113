package kustomize

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// meaning is the tag that a scalar has to who reads the document. Without a tag beside it nothing is a number in quotes, and what
// transformers put in without saying what it is, is what it looks like.
func (n *node) meaning() tag {
	switch {
	case n.tag == strTag:
	case n.quoted() && (n.tag == autoTag || n.style&taggedStyle == 0 && n.tag == plainTag(n.value)):
		return strTag
	case n.tag == autoTag:
		return plainTag(n.value)
	}
	return n.tag
}

// string gives the value of a scalar that is a string as it stands, as nearly all are.
func (n *node) string() (s string, ok bool) {
	changes := n.style&foldedStyle != 0 || n.tabFirst()
	return n.value, n.meaning() == strTag && !changes
}

// tabFirst holds for text below a "|" that begins with a tab, which kustomize writes as it is and cannot read again, unless it has
// characters that need quotes.
func (n *node) tabFirst() bool {
	return n.style&literalStyle != 0 && strings.HasPrefix(n.value, "\t") && analyse(strings.ReplaceAll(n.value, "\t", "x")).block
}

// scalar gives a scalar as JSON sees it: nil, bool, int64, uint64, float64 or string.
func (n *node) scalar(flow bool) (any, error) {
	v, err := n.resolved(flow)
	if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return nil, fmt.Errorf("line %d: %s is no number that JSON can hold", n.line, n.value)
	}
	return v, err
}

// resolved gives what a scalar stands for. In braces or brackets, where kustomize writes it once in between, nothing at all
// becomes "" and text has no style.
func (n *node) resolved(flow bool) (any, error) {
	t := n.meaning()
	switch t {
	case strTag, otherTag:
		switch {
		case flow:
		case n.tabFirst():
			return nil, fmt.Errorf("line %d: the text begins with a tab, which kustomize cannot read again below a \"|\"", n.line)
		case n.style&foldedStyle != 0:
			return refold(n.value)
		}
		return n.value, nil
	case nullTag:
		switch n.value {
		case "":
			if flow && n.style&taggedStyle == 0 {
				return "", nil
			}
		case "~", "null", "Null", "NULL":
		default:
			return nil, fmt.Errorf("line %d: cannot decode `%s` as a !!null", n.line, n.value)
		}
		return nil, nil
	case timeTag:
		// Braces make quotes of colons: then it is a string.
		if flow && n.style&taggedStyle == 0 && strings.IndexByte(n.value, ':') >= 0 {
			return n.value, nil
		}
	case intTag:
		if v, err := strconv.ParseInt(n.value, 10, 64); err == nil && plainDecimal(n.value) {
			return v, nil
		}
	case floatTag:
		// JSON alone brings that: the library takes it for an integer.
		if n.value == "-0" && n.style&taggedStyle == 0 {
			return math.Copysign(0, -1), nil
		}
	case boolTag:
		if n.value == "true" || n.value == "false" {
			return n.value == "true", nil
		}
	case binaryTag:
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.value), ""))
		if err != nil {
			return nil, fmt.Errorf("line %d: !!binary value contains invalid base64 data", n.line)
		}
		return string(b), nil
	}
	return n.decode(t)
}

func plainDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s == "0" || s != "" && s[0] != '0' && digits(s) == len(s)
}

// decode asks the YAML library what a rarer scalar means.
func (n *node) decode(t tag) (any, error) {
	y := yaml.Node{Kind: yaml.ScalarNode, Value: n.value, Tag: t.String()}
	if n.quoted() {
		y.Style = yaml.DoubleQuotedStyle
	}
	var v any
	if err := y.Decode(&v); err != nil {
		return nil, fmt.Errorf("line %d: %w", n.line, err)
	}
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	default:
		return v, nil
	}
}

func (t tag) String() string {
	switch t {
	case intTag:
		return "!!int"
	case floatTag:
		return "!!float"
	case boolTag:
		return "!!bool"
	case nullTag:
		return "!!null"
	case timeTag:
		return "!!timestamp"
	case binaryTag:
		return "!!binary"
	default:
		return "!!str"
	}
}

// formatNumber prints a number as it comes out of kustomize's way through JSON.
func formatNumber(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		b, err := json.Marshal(v)
		if err != nil {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
		if i, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			return strconv.FormatInt(i, 10)
		}
		if _, err := strconv.ParseUint(string(b), 10, 64); err == nil {
			return string(b)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// throughJSON gives text with odd characters as kustomize's YAML library reads it from JSON: some it refuses, and a next
// line (U+0085) it takes for a line break, which between quotes is a space.
func throughJSON(s string) (string, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	var out string
	if err := yaml.Unmarshal(data, &out); err != nil {
		return "", fmt.Errorf("write %q: %w", s, err)
	}
	return out, nil
}

// keyThroughJSON refuses a key with odd characters that kustomize's YAML library does not read from JSON: a next line ends it.
func keyThroughJSON(k string) error {
	data, err := json.Marshal(map[string]int{k: 0})
	if err != nil {
		return err
	}
	var out map[string]int
	if err := yaml.Unmarshal(data, &out); err != nil {
		return fmt.Errorf("write key %q: %w", k, err)
	}
	return nil
}

// refold gives text as it is after kustomize has written it below a ">" and read it again, which is not always the same.
func refold(s string) (string, error) {
	out, err := yaml.Marshal(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Value: "a"}, {Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.FoldedStyle, Value: s}}})
	if err != nil {
		return "", fmt.Errorf("fold text: %w", err)
	}
	var again map[string]string
	if err := yaml.Unmarshal(out, &again); err != nil {
		return "", fmt.Errorf("fold text: %w", err)
	}
	return again["a"], nil
}
