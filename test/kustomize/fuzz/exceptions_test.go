package main

import "testing"

func TestExcepted(t *testing.T) {
	for _, c := range []struct {
		name, theirs, ours string
		excepted           bool
	}{
		{"hash of another kind", "kind: a\nmetadata:\n  name: x-dbk84ftk5k\n---\nref: x-dbk84ftk5k\n", "kind: a\nmetadata:\n  name: x-7b4b9d88f4\n---\nref: x-7b4b9d88f4\n", true},
		{"hash of a config map", "kind: ConfigMap\nmetadata:\n  name: x-dbk84ftk5k\n", "kind: ConfigMap\nmetadata:\n  name: x-7b4b9d88f4\n", false},
		{"hash and more", "kind: a\nmetadata:\n  name: x-dbk84ftk5k\nb: 1\n", "kind: a\nmetadata:\n  name: x-7b4b9d88f4\nb: 2\n", false},
		{"notes of a past", "a:\n  internal.config.kubernetes.io/prefixes: a\n  b: c\n", "a:\n  b: c\n", false},
		{"hash of a hash", "kind: a\nmetadata:\n  name: x-dbk84ftk5k-dbk84ftk5k\n", "kind: a\nmetadata:\n  name: x-7b4b9d88f4-khd829ffb7\n", true},
		{"hashes and order", "kind: a\nmetadata:\n  name: x-dbk84ftk5k\n---\na: b\nkind: a\nmetadata:\n  name: x-hc2f2dccbf\n", "a: b\nkind: a\nmetadata:\n  name: x-7b4b9d88f4\n---\nkind: a\nmetadata:\n  name: x-t89d9m228c\n", true},
		{"hash before a suffix", "kind: a\nmetadata:\n  name: x-2c7hk4bkcha-4bgtg67c97\n", "kind: a\nmetadata:\n  name: x-tf6774h74fa-ct8mt927m6\n", true},
		{"hash below a line of text", "kind: a\nmetadata:\n  name: |-\n    x\n    -dbk84ftk5k\n", "kind: a\nmetadata:\n  name: |-\n    x\n    -7b4b9d88f4\n", true},
	} {
		if got := excepted(c.theirs, c.ours); got != c.excepted {
			t.Errorf("%s: excepted is %v, want %v", c.name, got, c.excepted)
		}
	}
}
