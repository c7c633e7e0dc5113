package kustomize

import "fmt"

// checkKey refuses a key that is a number, null or the like. Transformers lose the quotes of keys; patches may come without.
func (n *node) checkKey(at int) error {
	key, v := n.keys[at], n.items[at]
	switch {
	case !v.bareKey || plainTag(key) == strTag:
		return nil
	case v.line > 0:
		return fmt.Errorf("line %d of a patch: key %q is not a string: quote it", v.line, key)
	}
	return fmt.Errorf("key %s is no string without quotes, and kustomize loses them: name it otherwise", key)
}

// checkKeys does so in all that a value holds. The keys of an object itself become strings.
func (n *node) checkKeys(root bool) error {
	for i, item := range n.items {
		if n.kind == mapKind && !root {
			if err := n.checkKey(i); err != nil {
				return err
			}
		}
		if err := item.checkKeys(false); err != nil {
			return err
		}
	}
	return nil
}
