package kustomize

import (
	_ "embed"
	"strings"
	"sync"
)

// mergeType says which lists of an object merge, and how.
type mergeType struct {
	fields map[string]mergeField
	// other is what all further fields are, nil if nothing is known of them.
	other *mergeField
}

func (t *mergeType) field(name string) mergeField {
	if t == nil {
		return mergeField{}
	}
	f, ok := t.fields[name]
	if !ok && t.other != nil {
		return *t.other
	}
	return f
}

// mergeField is an object, or a list with the keys that its items merge by.
type mergeField struct {
	typ  *mergeType
	list bool
	keys []string
}

//go:embed mergekeys.txt
var mergeKeys string

// builtinTypes are the types of Kubernetes by name, and those of its kinds by "apiVersion:kind".
type builtinTypes struct{ types, kinds map[string]*mergeType }

// mergeSchema holds what is built in. It is read at the first patch and never changed.
var mergeSchema = sync.OnceValue(func() builtinTypes {
	types, kinds := map[string]*mergeType{}, map[string]*mergeType{}
	named := func(name string) *mergeType {
		if name == "" {
			return nil
		}
		if types[name] == nil {
			types[name] = &mergeType{fields: map[string]mergeField{}}
		}
		return types[name]
	}
	for line := range strings.Lines(mergeKeys) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		t := named(words[1])
		for _, w := range words[2:] {
			if words[0] == "kind" {
				kinds[w] = t
				continue
			}
			name, of, _ := strings.Cut(w, "=")
			typ, keys, list := strings.Cut(strings.TrimSuffix(of, "]"), "[")
			f := mergeField{typ: named(typ), list: list}
			if keys != "" {
				f.keys = strings.Split(keys, ",")
			}
			t.fields[name] = f
		}
	}
	return builtinTypes{types, kinds}
})
