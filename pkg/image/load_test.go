package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckArchive(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "app.tar")
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "none.tar")
	for file, want := range map[string]string{
		"-": "", full: "",
		missing:                  `there is no file ` + missing + `: make it with "docker save -o ` + missing + ` IMAGE"`,
		dir:                      dir + " is a directory: pack the OCI layout first",
		filepath.Join(full, "x"): "read the image archive: stat " + filepath.Join(full, "x") + ": not a directory",
	} {
		err := checkArchive(file)
		if got := errorText(err); !strings.HasPrefix(got, want) || (want == "") != (err == nil) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
