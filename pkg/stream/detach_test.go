package stream

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDetachable(t *testing.T) {
	for _, tt := range []struct{ name, keys, in, want string }{
		{"no keys", "ctrl-p,ctrl-q", "hello", "hello"},
		{"sequence ends the input", "ctrl-p,ctrl-q", "ab\x10\x11cd", "ab"},
		{"broken sequence is passed on", "ctrl-p,ctrl-q", "a\x10b\x10\x11", "a\x10b"},
		{"begins again within itself", "ctrl-p,ctrl-q", "\x10\x10\x11x", "\x10"},
		{"held keys come with the end", "ctrl-p,ctrl-q", "a\x10", "a\x10"},
		{"one plain key", "x", "abxc", "ab"},
		{"bracket", "ctrl-]", "ab\x1dc", "ab"},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				r, err := Detachable(wrap(strings.NewReader(tt.in)), tt.keys)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != tt.want {
					t.Errorf("got %q, %v; want %q", got, err, tt.want)
				}
			})
		}
	}
}

func TestParseKeysRefuses(t *testing.T) {
	for _, keys := range []string{"", "ctrl-", "ctrl-1", "ab", "ctrl-p,,x"} {
		if got, err := parseKeys(keys); err == nil {
			t.Errorf("parseKeys(%q) = %v, want an error", keys, got)
		}
	}
}
