package kustomize

import (
	"fmt"
	"regexp"
	"strings"
)

// Image is an entry of images.
type Image struct {
	Name      string `json:"name,omitempty"`
	NewName   string `json:"newName,omitempty"`
	TagSuffix string `json:"tagSuffix,omitempty"`
	NewTag    string `json:"newTag,omitempty"`
	Digest    string `json:"digest,omitempty"`
}

// imageTagTransformer is the plugin of that name; an entry of images is its config.
type imageTagTransformer struct {
	ImageTag   Image       `json:"imageTag,omitempty"`
	FieldSpecs []fieldSpec `json:"fieldSpecs,omitempty"`
	pattern    *regexp.Regexp
}

func (p *imageTagTransformer) prepare(*target) (err error) {
	// The name is a pattern, as in kustomize; the tag may be one of a tool that fills it in later.
	p.pattern, err = regexp.Compile("^" + p.ImageTag.Name + "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$")
	if err != nil {
		return fmt.Errorf("name %q: %w", p.ImageTag.Name, err)
	}
	return nil
}

func (p *imageTagTransformer) transform(m *resMap) error {
	for _, o := range m.list {
		g := o.gvk()
		if g.Kind == "CustomResourceDefinition" {
			continue
		}
		if err := containerImages(o.root, p.set); err != nil {
			return fmt.Errorf("image of %s: %w", o.id(), err)
		}
		for i := range p.FieldSpecs {
			if !g.selectedBy(p.FieldSpecs[i].gvk) {
				continue
			}
			if err := p.FieldSpecs[i].visit(o.root, nil, p.set); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *imageTagTransformer) set(n *node) error {
	if n.kind != scalarKind {
		return fmt.Errorf("line %d: wrong node kind: expected ScalarNode but got %s", n.line, n.describe())
	}
	if p.pattern.MatchString(n.value) {
		n.assign(autoTag, p.ImageTag.apply(n.value))
	}
	return nil
}

// containerImages finds image fields below anything called containers, wherever it is.
func containerImages(n *node, set func(*node) error) error {
	if n == nil || n.kind == scalarKind {
		return nil
	}
	for i, item := range n.items {
		if err := containerImages(item, set); err != nil {
			return err
		}
		if n.kind != mapKind || n.keys[i] != "containers" && n.keys[i] != "initContainers" || item.kind != seqKind {
			continue
		}
		for _, c := range item.items {
			if err := sameKind(mapKind, c); err != nil {
				return err
			}
			if v := c.get("image"); v != nil && !v.isNull() {
				if err := set(v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (i Image) apply(old string) string {
	name, tag, digest := SplitImage(old)
	if i.NewName != "" {
		name = i.NewName
	}
	switch {
	case i.NewTag != "":
		tag, digest = i.NewTag, i.Digest
	case i.Digest != "":
		tag, digest = "", i.Digest
	case i.TagSuffix != "":
		tag, digest = tag+i.TagSuffix, ""
	}
	if tag != "" {
		name += ":" + tag
	}
	if digest != "" {
		name += "@" + digest
	}
	return name
}

// SplitImage takes the name of an image apart.
func SplitImage(s string) (name, tag, digest string) {
	name, digest, _ = strings.Cut(s, "@")
	slash := strings.IndexByte(name, '/')
	if slash < 0 {
		slash = 0
	}
	if colon := strings.IndexByte(name[slash:], ':'); colon >= 0 {
		name, tag = name[:slash+colon], name[slash+colon+1:]
	}
	return name, tag, digest
}
