package wait

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"

	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type goalKind int

const (
	state goalKind = iota
	create
	gone
)

// goal is one --for.
type goal struct {
	kind goalKind
	met  resource.Condition
}

func parseGoal(text string) (goal, error) {
	lower := strings.ToLower(text)
	if lower == "delete" {
		return goal{kind: gone}, nil
	}
	if lower == "create" {
		return goal{kind: create}, nil
	}
	if name, ok := strings.CutPrefix(text, "condition="); ok {
		name, value, has := strings.Cut(name, "=")
		if !has {
			value = "true"
		}
		return goal{met: func(u *unstructured.Unstructured) (bool, error) { return conditionIs(u, name, value) }}, nil
	}
	if input, ok := strings.CutPrefix(text, "jsonpath="); ok {
		return parsePathGoal(input)
	}
	return goal{}, fmt.Errorf("unrecognized condition: %q", text)
}

// conditionIs tells whether a condition has a status. One of an older generation does not count yet.
func conditionIs(u *unstructured.Unstructured, name, value string) (bool, error) {
	conditions, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
	if err != nil {
		return false, err
	}
	for _, c := range conditions {
		c, ok := c.(map[string]any)
		if !ok {
			continue
		}
		typ, _, _ := unstructured.NestedString(c, "type")
		status, found, err := unstructured.NestedString(c, "status")
		if !strings.EqualFold(typ, name) || !found || err != nil {
			continue
		}
		if generation, ok, _ := unstructured.NestedInt64(u.Object, "metadata", "generation"); ok {
			observed, ok, _ := unstructured.NestedInt64(c, "observedGeneration")
			if !ok {
				observed, ok, _ = unstructured.NestedInt64(u.Object, "status", "observedGeneration")
			}
			if ok && observed < generation {
				return false, nil
			}
		}
		return strings.EqualFold(status, value), nil
	}
	return false, nil
}

// parsePathGoal reads PATH or PATH=VALUE; "==" is part of a path.
func parsePathGoal(input string) (goal, error) {
	parts := splitPath(input)
	if len(parts) > 2 {
		return goal{}, fmt.Errorf("jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'")
	}
	expr, err := printers.RelaxedPath(parts[0])
	if err != nil {
		return goal{}, err
	}
	value := ""
	if len(parts) == 2 {
		if value = strings.Trim(parts[1], `'"`); value == "" {
			return goal{}, errors.New("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3")
		}
	}
	if expr == "" {
		return goal{}, errors.New("jsonpath expression cannot be empty")
	}
	path := jsonpath.New("wait").AllowMissingKeys(true)
	if err := path.Parse(expr); err != nil {
		return goal{}, err
	}
	return goal{met: func(u *unstructured.Unstructured) (bool, error) {
		results, err := path.FindResults(u.Object)
		if err != nil {
			return false, err
		}
		return pathIs(results, value)
	}}, nil
}

func splitPath(input string) []string {
	out := []string{""}
	for i := 0; i < len(input); i++ {
		last := &out[len(out)-1]
		switch {
		case input[i] != '=':
			*last += input[i : i+1]
		case i+1 < len(input) && input[i+1] == '=':
			*last += "=="
			i++
		default:
			out = append(out, "")
		}
	}
	return out
}

// pathIs tells whether a path led to this value, or with an empty value to any.
func pathIs(results [][]reflect.Value, value string) (bool, error) {
	switch {
	case len(results) == 0 || len(results[0]) == 0:
		return false, nil
	case len(results) > 1:
		return false, errors.New("given jsonpath expression matches more than one list")
	case len(results[0]) > 1:
		return false, errors.New("given jsonpath expression matches more than one value")
	case value == "":
		return true, nil
	}
	switch v := results[0][0].Interface().(type) {
	case map[string]any, []any:
		return false, errors.New("jsonpath leads to a nested object or list which is not supported")
	default:
		return strings.TrimSpace(fmt.Sprint(v)) == strings.TrimSpace(value), nil
	}
}
