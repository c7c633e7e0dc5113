package main

import (
	"strconv"
	"strings"
)

// value is a part of a YAML document as it is written, so that quotes, styles and anchors are part of a case.
type value struct {
	kind shape
	// text is a scalar as it stands in the file; block text is the lines below its "|" or ">".
	text   string
	block  string
	flow   bool
	anchor string
	note   string
	keys   []string
	items  []*value
}

type shape uint8

const (
	scalar shape = iota
	mapping
	sequence
)

func raw(text string) *value      { return &value{text: text} }
func list(items ...*value) *value { return &value{kind: sequence, items: items} }

// object makes a mapping of keys and values by turns: strings are written as they are, nil leaves the key out.
func object(pairs ...any) *value {
	m := &value{kind: mapping}
	for i := 0; i < len(pairs); i += 2 {
		m.put(pairs[i].(string), pairs[i+1])
	}
	return m
}

func (v *value) put(key string, item any) *value {
	var add *value
	switch x := item.(type) {
	case string:
		add = raw(x)
	case int:
		add = raw(strconv.Itoa(x))
	case *value:
		add = x
	}
	if add != nil {
		v.keys = append(v.keys, key)
		v.items = append(v.items, add)
	}
	return v
}

func (v *value) get(key string) *value {
	if v == nil || v.kind != mapping {
		return nil
	}
	for i, k := range v.keys {
		if k == key {
			return v.items[i]
		}
	}
	return nil
}

func (v *value) copy() *value {
	c := *v
	c.keys = append([]string(nil), v.keys...)
	c.items = nil
	for _, item := range v.items {
		c.items = append(c.items, item.copy())
	}
	return &c
}

func (v *value) String() string {
	var b strings.Builder
	v.write(&b, 0, false)
	return b.String()
}

// write prints the value at the end of a line, or below it.
func (v *value) write(b *strings.Builder, indent int, after bool) {
	if v.anchor != "" {
		b.WriteString(" &" + v.anchor)
	}
	switch {
	case v.kind == scalar && v.block != "":
		v.writeBlock(b, indent)
	case v.kind == scalar || v.flow || len(v.items) == 0:
		if after {
			b.WriteByte(' ')
		}
		v.writeFlow(b)
		if v.note != "" {
			b.WriteString(" # " + v.note)
		}
		b.WriteByte('\n')
	default:
		if after {
			b.WriteByte('\n')
		}
		for i, item := range v.items {
			b.WriteString(strings.Repeat(" ", indent))
			if v.kind == mapping {
				b.WriteString(v.keys[i] + ":")
			} else {
				b.WriteByte('-')
			}
			item.write(b, indent+2, true)
		}
	}
}

func (v *value) writeBlock(b *strings.Builder, indent int) {
	b.WriteString(" " + v.text + "\n")
	for line := range strings.Lines(v.block) {
		if strings.TrimRight(line, "\r\n") != "" {
			b.WriteString(strings.Repeat(" ", indent))
		}
		b.WriteString(line)
	}
	if !strings.HasSuffix(v.block, "\n") {
		b.WriteByte('\n')
	}
}

func (v *value) writeFlow(b *strings.Builder) {
	switch v.kind {
	case scalar:
		if v.block != "" {
			b.WriteString(strconv.Quote(v.block))
			return
		}
		b.WriteString(v.text)
	case mapping:
		b.WriteByte('{')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(v.keys[i] + ": ")
			item.writeFlow(b)
		}
		b.WriteByte('}')
	case sequence:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.writeFlow(b)
		}
		b.WriteByte(']')
	}
}
