package editor

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestStripComments(t *testing.T) {
	if got := string(StripComments([]byte("# a\nb: 1\n  # c\nd: '#'\n"))); got != "b: 1\nd: '#'\n" {
		t.Errorf("got %q", got)
	}
}

func TestEdit(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("editors here are shell scripts")
		return
	}
	dir := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	o := Options{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard, WindowsLineEndings: true}
	for _, test := range []struct {
		editor, want, err string
	}{
		{script("change", `sed -i 's/old/new/' "$1"`), "a: new\n", ""},
		{script("args", `sed -i "s/old/$1/" "$2"`) + " other", "a: other\n", ""},
		{script("same", ""), "", ""},
		{script("empty", `: > "$1"`), "", ""},
		{script("fail", "exit 1"), "", "there was a problem with the editor"},
		{filepath.Join(dir, "missing"), "", ""},
	} {
		t.Setenv("SHELL", "/bin/sh")
		t.Setenv("KUBE_EDITOR", test.editor)
		got, err := Edit(context.Background(), o, []byte("# comment\na: old\n"))
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got %v", test.editor, err)
			}
			continue
		}
		if strings.HasSuffix(test.editor, "missing") {
			if err == nil {
				t.Error("an editor that is not there edited")
			}
			continue
		}
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.editor, got, err, test.want)
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	path, err := Write(Options{}, []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
