package kustomize

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variable is an entry of vars: $(NAME) stands for a field of a resource.
type Variable struct {
	Name     string    `json:"name"`
	ObjRef   varTarget `json:"objref"`
	FieldRef struct {
		FieldPath string `json:"fieldPath,omitempty"`
	} `json:"fieldref,omitempty"`
}

type varTarget struct {
	APIVersion string `json:"apiVersion,omitempty"`
	gvk
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

func (v *Variable) id() id {
	g := v.ObjRef.gvk
	switch strings.Count(v.ObjRef.APIVersion, "/") {
	case 0:
		g.Version = or(v.ObjRef.APIVersion, g.Version)
	case 1:
		g.Group, g.Version = splitAPIVersion(v.ObjRef.APIVersion)
	}
	return id{g, v.ObjRef.Name, v.ObjRef.Namespace}
}

func (a *accumulator) addVars(vars []Variable) error {
	for _, v := range vars {
		if slices.ContainsFunc(a.vars, func(o Variable) bool { return o.Name == v.Name }) {
			return fmt.Errorf("var '%s' already encountered", v.Name)
		}
		a.vars = append(a.vars, v)
	}
	return nil
}

// mergeVars notes on resources which variables read them, while they still have the names that the kustomization knows.
func (a *accumulator) mergeVars(vars []Variable) error {
	if len(vars) == 0 {
		return nil
	}
	byName := a.byAnyName()
	for i := range vars {
		v := &vars[i]
		want := v.id()
		var match *Object
		count := 0
		for _, o := range byName[want.name] {
			ids := []id{o.id()}
			for j := range o.past {
				ids = append(ids, o.pastID(j))
			}
			if slices.ContainsFunc(ids, func(i id) bool {
				return i.name == want.name && i.gvk == want.gvk && (want.namespace == "" || i.namespace == want.namespace)
			}) {
				match = o
				count++
			}
		}
		if count > 1 {
			return fmt.Errorf("found %d resId matches for var %s (unable to disambiguate)", count, v.Name)
		}
		if match != nil {
			match.varNames = append(match.varNames, v.Name)
		}
	}
	return a.addVars(vars)
}

func (a *accumulator) resolveVars(warn func(string)) error {
	if len(a.vars) == 0 {
		return nil
	}
	sources := map[string]*Object{}
	for _, o := range a.list {
		for _, name := range o.varNames {
			if sources[name] == nil {
				sources[name] = o
			}
		}
	}
	slices.SortFunc(a.vars, func(x, y Variable) int { return strings.Compare(x.Name, y.Name) })
	e := expander{values: map[string]any{}, used: map[string]bool{}}
	for _, v := range a.vars {
		o := sources[v.Name]
		if o == nil {
			return fmt.Errorf("var '%s' cannot be mapped to a field in the set of known resources", v.Name)
		}
		at, err := o.lookup(varPath(or(v.FieldRef.FieldPath, defaultFieldPath)))
		if err != nil || at == nil {
			return fmt.Errorf("field specified in var '%s' not found in corresponding resource", v.Name)
		}
		if at.kind == scalarKind {
			if e.values[v.Name], err = at.variable(); err != nil {
				return fmt.Errorf("field specified in var '%s' not found in corresponding resource: line %d: %w", v.Name, at.line, err)
			}
		}
	}
	config := a.fieldConfig()
	for _, o := range a.list {
		g := o.gvk()
		for i := range config.VarReference {
			s := &config.VarReference[i]
			if !g.selectedBy(s.gvk) {
				continue
			}
			if err := s.visit(o.root, nil, e.set); err != nil {
				return err
			}
		}
	}
	var unused []string
	for _, v := range a.vars {
		if !e.used[v.Name] {
			unused = append(unused, v.Name)
		}
	}
	if len(unused) > 0 {
		warn("well-defined vars that were never replaced: " + strings.Join(unused, ","))
	}
	return nil
}

// variable is what a scalar gives to a variable: of null and dates it is the text as written.
func (n *node) variable() (any, error) {
	switch n.tag {
	case intTag:
		return strconv.Atoi(n.value)
	case floatTag:
		return strconv.ParseFloat(n.value, 64)
	case boolTag:
		return strconv.ParseBool(n.value)
	default:
		return n.value, nil
	}
}

// varPath also knows items by number in brackets: containers[0].image.
func varPath(path string) []string {
	var out []string
	for _, step := range splitFieldPath(path) {
		if open := strings.IndexByte(step, '['); open > 0 && strings.HasSuffix(step, "]") && isIndex(step[open+1:len(step)-1]) {
			out = append(out, step[:open], step[open+1:len(step)-1])
			continue
		}
		out = append(out, step)
	}
	return out
}

// expander puts values in the place of $(NAME).
type expander struct {
	values map[string]any
	used   map[string]bool
}

func (e *expander) set(n *node) error {
	switch {
	case n.isNull():
	case n.kind == scalarKind:
		e.scalar(n)
	case n.kind == mapKind:
		for _, v := range n.items {
			e.scalar(v)
		}
	default:
		for _, v := range n.items {
			if !isText(v) {
				return fmt.Errorf("line %d: invalid value type expect a string", v.line)
			}
			e.scalar(v)
		}
	}
	return nil
}

func isText(n *node) bool {
	return n.kind == scalarKind && (n.tag == strTag || n.tag == autoTag)
}

// scalar expands a string. It loses its style, variables or not.
func (e *expander) scalar(n *node) {
	if !isText(n) {
		return
	}
	switch v := e.expand(n.value).(type) {
	case string:
		n.assign(strTag, v)
	case bool:
		n.assign(boolTag, strconv.FormatBool(v))
	case float64:
		n.assign(floatTag, strconv.FormatFloat(v, 'f', -1, 64))
	default:
		n.assign(intTag, fmt.Sprint(v))
	}
	n.style = plainStyle
}

// expand gives the text with its variables replaced, or the value itself when the text is one variable.
func (e *expander) expand(s string) any {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		end := strings.IndexByte(s[i:], ')')
		switch {
		case s[i+1] == '$':
			b.WriteByte('$')
			i++
		case s[i+1] != '(' || end < 0:
			// kustomize takes the byte for a character, and so takes others apart.
			b.WriteByte('$')
			b.WriteRune(rune(s[i+1]))
			i++
		default:
			name := s[i+2 : i+end]
			v, ok := e.values[name]
			if !ok {
				v = "$(" + name + ")"
			} else {
				e.used[name] = true
			}
			if i == 0 && end == len(s)-1 {
				return v
			}
			fmt.Fprint(&b, v)
			i += end
		}
	}
	return b.String()
}
