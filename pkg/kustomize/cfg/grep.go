package cfg

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Query asks for objects by the value of a field.
type Query struct {
	path     []string
	operator string
	value    string
	pattern  *regexp.Regexp
}

// ParseQuery reads path=PATTERN, or a path with <, <=, > or >= and a number or quantity. A path alone asks for any value.
func ParseQuery(s string) (*Query, error) {
	path, err := ParsePath(s)
	if err != nil {
		return nil, err
	}
	last := path[len(path)-1]
	q := &Query{operator: "="}
	for _, operator := range []string{">=", "<=", ">", "<"} {
		if strings.Contains(last, operator) {
			q.operator = operator
			break
		}
	}
	parts := strings.Split(last, q.operator)
	if len(parts) > 2 {
		return nil, fmt.Errorf("ambiguous match -- multiple of ['<', '>', '<=', '>=', '=' in final path element: %s", last)
	}
	if len(parts) == 2 {
		q.value = parts[1]
	}
	q.path = append(path[:len(path)-1], parts[0])
	return q, nil
}

// Filter keeps what a query asks for, or, inverted, all else.
func (q *Query) Filter(objects []*Object, invert bool) ([]*Object, error) {
	if q.operator == "=" && q.pattern == nil {
		var err error
		if q.pattern, err = regexp.Compile(q.value); err != nil {
			return nil, err
		}
	}
	var out []*Object
	for _, o := range objects {
		found, err := lookup(o.root, q.path)
		if err != nil {
			return nil, err
		}
		any := false
		for _, m := range found {
			ok, err := q.holds(m.node)
			if err != nil {
				return nil, err
			}
			any = any || ok
		}
		if any != invert {
			out = append(out, o)
		}
	}
	return out, nil
}

func (q *Query) holds(n *yaml.Node) (bool, error) {
	if q.operator == "=" {
		s, err := line(n)
		return q.pattern.MatchString(strings.TrimSpace(strings.ReplaceAll(s, `"`, ""))), err
	}
	if n.Value == "" {
		return false, nil
	}
	have, err := quantity(n.Value)
	if err != nil {
		return false, fmt.Errorf("%s: %w", n.Value, err)
	}
	want, err := quantity(q.value)
	if err != nil {
		return false, err
	}
	switch c := have.Cmp(want); q.operator {
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	case "<":
		return c < 0, nil
	default:
		return c <= 0, nil
	}
}
