package printers

import (
	"cmp"
	"fmt"
	"reflect"
	"sort"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/jsonpath"
)

// SortRows orders a table's rows by a field of their objects.
func SortRows(t *Table, field string) error {
	objects := make([]map[string]any, len(t.Rows))
	for i := range t.Rows {
		u, err := t.Rows[i].Decode()
		if err != nil {
			return fmt.Errorf("sorting error: %v", err)
		}
		objects[i] = u.Object
	}
	return sortBy(objects, field, func(i, j int) { t.Rows[i], t.Rows[j] = t.Rows[j], t.Rows[i] })
}

// SortObjects orders objects by a field.
func SortObjects(items []unstructured.Unstructured, field string) error {
	objects := make([]map[string]any, len(items))
	for i := range items {
		objects[i] = items[i].Object
	}
	return sortBy(objects, field, func(i, j int) { items[i], items[j] = items[j], items[i] })
}

type keyed struct {
	keys []*reflect.Value
	swap func(i, j int)
	err  error
}

func sortBy(objects []map[string]any, field string, swap func(i, j int)) error {
	if len(objects) == 0 {
		return nil
	}
	path, err := RelaxedPath(field)
	if err != nil {
		return err
	}
	parser := jsonpath.New("sorting").AllowMissingKeys(true)
	if err := parser.Parse(path); err != nil {
		return fmt.Errorf("sorting error: %v", err)
	}
	k := &keyed{keys: make([]*reflect.Value, len(objects)), swap: swap}
	found := false
	for i, o := range objects {
		values, err := parser.FindResults(o)
		if err != nil {
			return err
		}
		if len(values) > 0 && len(values[0]) > 0 {
			k.keys[i] = &values[0][0]
			found = true
		}
	}
	if !found {
		return fmt.Errorf("couldn't find any field with path %q in the list of objects", path)
	}
	sort.Sort(k)
	return k.err
}

func (k *keyed) Len() int { return len(k.keys) }

func (k *keyed) Swap(i, j int) {
	k.keys[i], k.keys[j] = k.keys[j], k.keys[i]
	k.swap(i, j)
}

// Less puts objects without the field first.
func (k *keyed) Less(i, j int) bool {
	if k.keys[i] == nil {
		return true
	}
	if k.keys[j] == nil {
		return false
	}
	less, err := isLess(k.keys[i].Interface(), k.keys[j].Interface())
	if err != nil && k.err == nil {
		k.err = err
	}
	return less
}

func isLess(a, b any) (bool, error) {
	switch x := a.(type) {
	case nil:
		return b != nil, nil
	case int64:
		if y, ok := b.(int64); ok {
			return x < y, nil
		}
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Less(x, y), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return lessString(x, y), nil
		}
	case []any:
		y, _ := b.([]any)
		for i := range min(len(x), len(y)) {
			if less, err := isLess(x[i], y[i]); err != nil || !less {
				return less, err
			}
		}
		return true, nil
	default:
		return false, fmt.Errorf("unsortable type: %T", a)
	}
	if b == nil {
		return false, nil
	}
	return false, fmt.Errorf("unsortable interface: interface")
}

// lessString compares quantities by amount.
func lessString(x, y string) bool {
	qx, err := resource.ParseQuantity(x)
	if err != nil {
		return x < y
	}
	qy, err := resource.ParseQuantity(y)
	if err != nil {
		return x < y
	}
	return qx.Cmp(qy) < 0
}
