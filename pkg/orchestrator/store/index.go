package store

import (
	"cmp"
	"slices"
	"strings"
)

// Compare orders keys by resource, namespace, name.
func (k Key) Compare(other Key) int {
	return cmp.Or(strings.Compare(k.Resource, other.Resource), strings.Compare(k.Namespace, other.Namespace), strings.Compare(k.Name, other.Name))
}

func (i *Item) order(other *Item) int { return i.Key.Compare(other.Key) }

// posting says that an item has a value in one of the codec's index fields. Postings are kept in the order in which a
// selection by field reads them.
type posting struct {
	field, value string
	item         *Item
}

func (p posting) order(other posting) int {
	return cmp.Or(p.place(other.item.Key.Resource, other.field, other.value),
		strings.Compare(p.item.Key.Namespace, other.item.Key.Namespace), strings.Compare(p.item.Key.Name, other.item.Key.Name))
}

func (p posting) place(resource, field, value string) int {
	return cmp.Or(strings.Compare(p.item.Key.Resource, resource), strings.Compare(p.field, field), strings.Compare(p.value, value))
}

// index holds all objects of one revision. It is a value: with and without give a new one.
type index struct {
	items    *node[*Item]
	postings *node[posting]
}

func (x index) get(key Key) *Item {
	for n := x.items; n != nil; {
		switch c := key.Compare(n.e.Key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.e
		}
	}
	return nil
}

// with puts item in place of old, which may be nil.
func (x index) with(item, old *Item) index {
	x.items = x.items.put(item)
	if old != nil {
		for field, value := range old.fields {
			if item.fields[field] != value {
				x.postings = x.postings.remove(posting{field, value, old})
			}
		}
	}
	for field, value := range item.fields {
		x.postings = x.postings.put(posting{field, value, item})
	}
	return x
}

func (x index) without(old *Item) index {
	x.items = x.items.remove(old)
	for field, value := range old.fields {
		x.postings = x.postings.remove(posting{field, value, old})
	}
	return x
}

// indexOf builds the index of items in any order, each key once.
func indexOf(items []*Item) index {
	slices.SortFunc(items, (*Item).order)
	var postings []posting
	for _, item := range items {
		for field, value := range item.fields {
			postings = append(postings, posting{field, value, item})
		}
	}
	slices.SortFunc(postings, posting.order)
	return index{items: build(items), postings: build(postings)}
}
