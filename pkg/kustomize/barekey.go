package kustomize

import "fmt"

// checkKey refuses a key that is a number, null or the like, or that comes a second time. Transformers lose the quotes of
// keys; files and patches may come without. The keys of an object itself become strings, but null; so does one that is nothing at
// all, wherever it is.
func (n *node) checkKey(at int, root bool) error {
	key, v := n.keys[at], n.items[at]
	if n.doubled() {
		if first := n.find(key); first != at {
			return fmt.Errorf("line %d of a file or patch: mapping key %q already defined at line %d", v.line, key, n.items[first].line)
		}
	}
	if !v.bareKey {
		return nil
	}
	t := plainTag(key)
	switch {
	case key == "":
		return n.scalarKeys()
	case t == strTag || root && t != nullTag:
		return nil
	case v.line > 0:
		return fmt.Errorf("line %d of a file or patch: key %q is not a string: quote it", v.line, key)
	}
	return fmt.Errorf("key %s is no string without quotes, and kustomize loses them: name it otherwise", key)
}

// checkKeys does so in all that a value holds.
func (n *node) checkKeys(root bool) error {
	for i, item := range n.items {
		if n.kind == mapKind {
			if err := n.checkKey(i, root); err != nil {
				return err
			}
		}
		if err := item.checkKeys(false); err != nil {
			return err
		}
	}
	return nil
}

// scalarKeys refuses a mapping with a key that is no scalar: it has no text to look for.
func (n *node) scalarKeys() error {
	if n == nil || n.look&compoundKey == 0 {
		return nil
	}
	return fmt.Errorf("line %d: a key of the mapping is no scalar", n.line)
}
