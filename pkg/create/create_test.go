package create

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestContainerName(t *testing.T) {
	for image, want := range map[string]string{
		"nginx": "nginx", "nginx:1.2": "nginx", "r.example.com:5000/a/web@sha256:abc": "web", "gcr.io/x/node-hello:1.0": "node-hello",
	} {
		if got := containerName(image); got != want {
			t.Errorf("%s: got %s, want %s", image, got, want)
		}
	}
	if got := containerName("my_image.v1"); !strings.HasPrefix(got, "my-image-v1-") || len(got) != len("my-image-v1-")+5 {
		t.Errorf("got %s", got)
	}
}

func TestParsePorts(t *testing.T) {
	for text, want := range map[string]string{
		"80": "80 80", "80:8080": "80 8080", "80:http": "80 http",
		"x": `strconv.ParseUint: parsing "x": invalid syntax`, "70000": `strconv.ParseUint: parsing "70000": value out of range`,
		"80:0": "must be between 1 and 65535, inclusive", "80:UPPER_": "must contain only alpha-numeric characters",
	} {
		port, target, err := parsePorts(text)
		got := fmt.Sprint(port, " ", target.String())
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a": "1", "b": "2", "env": "# c\n\nX=1\n  Y=2\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a")
	for _, test := range []struct {
		s    sources
		want string
	}{
		{sources{files: []string{file}, literals: []string{"k=v=w"}}, "a=1 k=v=w "},
		{sources{files: []string{"key=" + file}}, "key=1 "},
		{sources{files: []string{dir}}, "a=1 b=2 env=# c\n\nX=1\n  Y=2\n "},
		{sources{envFiles: []string{filepath.Join(dir, "env")}}, "X=1 Y=2 "},
		{sources{files: []string{"x=" + dir}}, "cannot give a key name for a directory path"},
		{sources{files: []string{"=x"}}, "key name for file path x missing"},
		{sources{files: []string{"x="}}, "file path for key name x missing"},
		{sources{files: []string{"a=b=c"}}, "key names or file paths cannot contain '='"},
		{sources{files: []string{"x=" + dir + "/nope"}}, "error reading " + dir + "/nope: no such file or directory"},
		{sources{literals: []string{"k"}}, "invalid literal source k, expected key=value"},
		{sources{literals: []string{"=v"}}, "invalid literal source =v, expected key=value"},
		{sources{literals: []string{"k=v"}, envFiles: []string{"x"}}, "from-env-file cannot be combined with from-file or from-literal"},
		{sources{envFiles: []string{dir}}, "a directory"},
	} {
		var got strings.Builder
		err := test.s.each("a directory", func(key string, value []byte) error {
			fmt.Fprintf(&got, "%s=%s ", key, value)
			return nil
		})
		if err != nil {
			got.Reset()
			got.WriteString(err.Error())
		}
		if got.String() != test.want {
			t.Errorf("%+v: got %q, want %q", test.s, got.String(), test.want)
		}
	}
}

func TestConfigMapKeepsBytes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bin")
	if err := os.WriteFile(file, []byte{0xff, 0xfe}, 0o600); err != nil {
		t.Fatal(err)
	}
	obj, err := (&sources{files: []string{file}, literals: []string{"a=b"}}).configMap("x")
	if err != nil {
		t.Fatal(err)
	}
	cm := obj.(*corev1.ConfigMap)
	if cm.Data["a"] != "b" || len(cm.BinaryData["bin"]) != 2 {
		t.Errorf("got %+v", cm)
	}
	for _, s := range []sources{{literals: []string{"a=1", "a=2"}}, {literals: []string{"a b=1"}}} {
		if _, err := s.configMap("x"); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

// The hashes are those of the real kubectl.
func TestHashedNames(t *testing.T) {
	obj, err := (&sources{literals: []string{"a=b"}, appendHash: true}).configMap("c5")
	if err != nil || obj.GetName() != "c5-tdcm2892t9" {
		t.Errorf("got %s, %v", obj.GetName(), err)
	}
	if got, _ := hashedName("x", map[string]any{"kind": "ConfigMap", "name": "", "data": map[string]string{}}); got != "x-42745tchd9" {
		t.Errorf("got %s", got)
	}
}
