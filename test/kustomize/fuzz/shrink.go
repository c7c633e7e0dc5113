package main

import "time"

// shrinker makes a case smaller while the engines go on to disagree about it in the same way.
type shrinker struct {
	best  *tree
	diff  *difference
	until time.Time
}

func shrink(t *tree, d *difference, effort time.Duration) (*tree, *difference) {
	s := &shrinker{best: t, diff: d, until: time.Now().Add(effort)}
	for s.round() && time.Now().Before(s.until) {
	}
	return s.best, s.diff
}

// try takes a smaller case if it still shows the same.
func (s *shrinker) try(t *tree) bool {
	if time.Now().After(s.until) {
		return false
	}
	if d, _ := compare(t); d != nil && d.what == s.diff.what {
		s.best, s.diff = t, d
		return true
	}
	return false
}

// edit tries the best case with a change to a copy.
func (s *shrinker) edit(change func(*tree)) bool {
	t := s.best.copy()
	change(t)
	return s.try(t)
}

func (s *shrinker) round() (smaller bool) {
	for _, name := range s.best.paths() {
		if s.edit(func(t *tree) { delete(t.files, name) }) {
			smaller = true
			continue
		}
		smaller = s.plain(name) || smaller
		for i := len(s.best.files[name].docs) - 1; i >= 0; i-- {
			if len(s.best.files[name].docs) > 1 && s.edit(func(t *tree) {
				f := t.files[name]
				f.docs = append(f.docs[:i], f.docs[i+1:]...)
			}) {
				smaller = true
				continue
			}
			smaller = s.parts(name, i, nil) || smaller
		}
	}
	return smaller
}

// plain takes the file's oddities away.
func (s *shrinker) plain(name string) bool {
	f := s.best.files[name]
	if f.docs == nil {
		return len(f.text) > 1 && s.edit(func(t *tree) { t.files[name].text = f.text[:len(f.text)/2] })
	}
	return (f.crlf || f.mark) && s.edit(func(t *tree) { t.files[name].crlf, t.files[name].mark = false, false })
}

// parts tries to leave out each part of a document, the largest first, and to make what stays simpler.
func (s *shrinker) parts(name string, doc int, path []int) (smaller bool) {
	at := func(t *tree) *value {
		v := t.files[name].docs[doc]
		for _, i := range path {
			v = v.items[i]
		}
		return v
	}
	v := at(s.best)
	if (v.flow || v.anchor != "" || v.note != "") && s.edit(func(t *tree) {
		x := at(t)
		x.flow, x.anchor, x.note = false, "", ""
	}) {
		smaller = true
	}
	if v.kind == scalar {
		return s.simpler(at) || smaller
	}
	for i := len(at(s.best).items) - 1; i >= 0; i-- {
		if s.edit(func(t *tree) { at(t).drop(i) }) {
			smaller = true
			continue
		}
		smaller = s.parts(name, doc, append(path[:len(path):len(path)], i)) || smaller
	}
	return smaller
}

func (v *value) drop(i int) {
	v.items = append(v.items[:i], v.items[i+1:]...)
	if v.kind == mapping {
		v.keys = append(v.keys[:i], v.keys[i+1:]...)
	}
}

// simpler tries a plain short text in place of a scalar.
func (s *shrinker) simpler(at func(*tree) *value) bool {
	v := at(s.best)
	if v.text == "a" || v.block == "" && len(v.text) <= 1 {
		return false
	}
	if v.block != "" {
		return s.edit(func(t *tree) { *at(t) = value{text: "a"} }) ||
			len(v.block) > 2 && s.edit(func(t *tree) { at(t).block = v.block[len(v.block)/2:] })
	}
	return s.edit(func(t *tree) { at(t).text = "a" })
}
