package kustomize

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// FuzzPlain holds our reader to the library: what it reads at all, it reads in the same way.
func FuzzPlain(f *testing.F) {
	goldenFiles(f, func(data string) { f.Add(data) })
	for _, s := range plainSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { comparePlain(t, text) })
}

var plainSeeds = []string{
	"a: 1\nb:\n- c\n-  d: e\n   f: |\n     x\n\n      y\n     \n\n- - 1\n  - 2\n-\n- g\n",
	"a: x y\n  z\n\n\n  w\nb: |-\n  t\n  # u\n # v\nc: |+\n  t\n\n\n# w\nd: 'it''s' # c\ne: \"q\\\"\\n\"\n",
	"a: {b: c, 'd': [1, 2.5, x y], \"e\":f, g: {}, h: []}\nt: [2020-01-01, 12:30:00, 2020-01-01T00:00:00Z]\n",
	"a:\n  b:\n    c\n    d\n  e: --f=g\n  h: -1\n  i: ~\n  j: 0x1F\n  k: 1_000\n  l: .5\n  m: on\n  n: null\n  o: 1e3\n  p: 0o7\n",
	"# c\n\na:\n# d\n- b # e\n# f\n- c\n",
	"url: http://a:80/b#c\nk8s.io/x: y\n$ref: '#/a'\n\"q u\": r\n", "é: ü\n日本: 語\n", "a: 😀\n👍🏽: 🏳️\u200d🌈\nb: |\n  🚀\nc: \"🚀\\n\"\n", "a: b\n c: d\n", "a: b: c\n", "a:\n\tb: c\n",
}

func unlimited() *atomic.Int64 {
	var n atomic.Int64
	n.Store(1 << 40)
	return &n
}

// show prints all that is in a node.
func show(n *node) string {
	if n == nil {
		return "nothing"
	}
	s := fmt.Sprintf("%d-%d:%d", n.line, n.before, n.style)
	switch n.kind {
	case mapKind:
		s += "{"
		for i, k := range n.keys {
			s += fmt.Sprintf("%q: %s, ", k, show(n.items[i]))
		}
		return s + "}"
	case seqKind:
		s += "["
		for _, item := range n.items {
			s += show(item) + ", "
		}
		return s + "]"
	default:
		return fmt.Sprintf("%s:%d(%q)", s, n.tag, n.value)
	}
}

// TestPlainIsUsed keeps the common forms out of the library's hands.
func TestPlainIsUsed(t *testing.T) {
	for _, text := range plainSeeds[:8] {
		parts, err := cutDocuments(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if _, ok := readPlain(p.text, p.line, unlimited()); !ok {
				t.Errorf("given up on %q", p.text)
			}
		}
	}
}

// fragments are what random documents are put together from.
var fragments = []string{"a:", "b: ", "- ", "-", "c", "1", "true", "\n", "\n", "\n  ", "\n  ", "\n    ", "\n      ", "\n\n", "\n ", " # d", "\n# e", " ", ": ",
	"|", "|-\n", "|+\n", ">-\n", "'f'", "'g''h'", "\"i\"", "\"j\\n\"", "\"", "'", "{", "}", "[", "]", ", ", "k: l", "{m: n}", "[o, 'p']", "?", "&q ", "*q",
	"!!str ", "<<: ", "---\n", "...\n", "\t", "é", "😀", "-1", "1.5", "~", "null", "2020-01-01", "12:30:00", "2020-01-01T00:00:00Z", "#", "%", ":", "\"q\": ", "a b: c",
	"--x=y", "http://z", ".5", "0x1", "@", "\nr: ", "\ns:\n- ", "\n- t: u\n  v: w", "'x\n  y\n\n\n  z '", "\"x \n  \\\"y\n z\"", "=", "\\n", "\\", "''", "' '", "yes", "on: ", "012", "0o7", "1_0", "y", "1e3", "+1", "190:20:30", ".inf",
	"\"u\\/v\"", "\"\\x41\\e\"", "\\/", "\r", "\u00a0", "\u0085", "\ufeff"}

// TestPlainAgainstLibrary holds our reader to the library on random documents; PLAIN_ROUNDS makes more of them.
func TestPlainAgainstLibrary(t *testing.T) {
	rounds := plainRounds()
	random := rand.New(rand.NewPCG(1, uint64(rounds)))
	read := 0
	for range rounds {
		read += comparePlain(t, randomDocument(random))
	}
	if read < rounds/20 {
		t.Errorf("only %d of %d documents were read", read, rounds)
	}
}

func plainRounds() int {
	if n, err := strconv.Atoi(os.Getenv("PLAIN_ROUNDS")); err == nil {
		return n
	}
	return 20_000
}

func randomDocument(random *rand.Rand) string {
	var b strings.Builder
	for range 2 + random.IntN(14) {
		b.WriteString(fragments[random.IntN(len(fragments))])
	}
	return b.String()
}

// comparePlain gives the number of documents that our reader read.
func comparePlain(t *testing.T, text string) (read int) {
	t.Helper()
	parts, _ := cutDocuments(text)
	for _, p := range parts {
		got, ok := readPlain(p.text, p.line, unlimited())
		if !ok {
			continue
		}
		read++
		want, err := readDocument(p.text, p.line)
		if err != nil {
			t.Fatalf("%q: read as %s, the library says: %v", p.text, show(got), err)
		}
		if show(got) != show(want) {
			t.Fatalf("%q:\ngot  %s\nwant %s", p.text, show(got), show(want))
		}
	}
	return read
}
