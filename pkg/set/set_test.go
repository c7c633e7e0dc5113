package set

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		want          bool
	}{
		{"web", "web", true}, {"web", "we", false}, {"web", "*", true}, {"web", "w*", true}, {"web", "*b", true},
		{"web", "w*b", true}, {"web", "w*x", false}, {"web-1-a", "w*1*a", true}, {"ab", "ab*b", false}, {"web", "", false},
	} {
		if got := matches(tt.name, tt.pattern); got != tt.want {
			t.Errorf("matches(%q, %q) = %v", tt.name, tt.pattern, got)
		}
	}
}

func TestParseImages(t *testing.T) {
	got, err := parseImages([]string{"a=b:1", "c=reg:5000/x@sha256:abc", "*=z="})
	if err != nil || got["a"] != "b:1" || got["c"] != "reg:5000/x@sha256:abc" || got["*"] != "z=" {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = parseImages([]string{"a", "=b", "c=d"})
	if err == nil || err.Error() != "invalid image format: a, =b" {
		t.Errorf("error: %v", err)
	}
}

func TestSetImages(t *testing.T) {
	spec := func() *corev1.PodSpec {
		return &corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init", Image: "i"}},
			Containers:     []corev1.Container{{Name: "a", Image: "1"}, {Name: "b", Image: "2"}},
		}
	}
	s := spec()
	if errs := setImages(s, map[string]string{"a": "x", "init": "y"}); len(errs) > 0 || s.Containers[0].Image != "x" || s.Containers[1].Image != "2" || s.InitContainers[0].Image != "y" {
		t.Errorf("named: %v, %v", s, errs)
	}
	s = spec()
	if errs := setImages(s, map[string]string{"*": "x"}); len(errs) > 0 || s.Containers[1].Image != "x" || s.InitContainers[0].Image != "x" {
		t.Errorf("all: %v, %v", s, errs)
	}
	if errs := setImages(spec(), map[string]string{"z": "x"}); len(errs) != 1 || errs[0].Error() != `error: unable to find container named "z"` {
		t.Errorf("unknown: %v", errs)
	}
}

func TestSplitEnv(t *testing.T) {
	names, specs, err := splitEnv([]string{"deploy/web", "A=1", "B-", "-"})
	if err != nil || !slices.Equal(names, []string{"deploy/web"}) || !slices.Equal(specs, []string{"A=1", "B-", "-"}) {
		t.Errorf("got %v, %v, %v", names, specs, err)
	}
	if _, _, err := splitEnv([]string{"A=1", "deploy/web"}); err == nil || err.Error() != "all resources must be specified before environment changes: A=1 deploy/web" {
		t.Errorf("error: %v", err)
	}
}

func TestParseEnv(t *testing.T) {
	set, remove, err := parseEnv([]string{"A=1", "B=x=y", "C-", "-"}, strings.NewReader("D=4 # four\n# nothing\nE=5\n"))
	var got []string
	for _, e := range set {
		got = append(got, e.Name+"="+e.Value)
	}
	if err != nil || !slices.Equal(got, []string{"A=1", "B=x=y", "D=4 ", "E=5"}) || !slices.Equal(remove, []string{"C"}) {
		t.Errorf("got %q, %q, %v", got, remove, err)
	}
	for spec, want := range map[string]string{
		"A":      "unknown environment variable: A",
		"A=1 A-": "can not both modify and remove the same environment variable in the same command",
	} {
		if _, _, err := parseEnv(strings.Fields(spec), nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if _, _, err := parseEnv([]string{"=1"}, nil); err == nil {
		t.Error("a name cannot be empty")
	}
}

func TestUpdateEnv(t *testing.T) {
	vars := func(text string) (out []corev1.EnvVar) {
		for _, f := range strings.Fields(text) {
			k, v, _ := strings.Cut(f, "=")
			out = append(out, corev1.EnvVar{Name: k, Value: v})
		}
		return out
	}
	for _, tt := range []struct{ have, set, remove, want string }{
		{"", "A=1", "", "A=1"},
		{"A=0 B=2", "A=1", "", "A=1 B=2"},
		{"A=0 B=2 A=3", "A=1", "", "A=1 B=2"},
		{"A=0 B=2 A=3", "", "A", "B=2"},
		{"B=1 B=2", "A=1", "", "B=1 B=2 A=1"},
		{"A=0", "C=1 C=2", "", "A=0 C=1"},
	} {
		var got []string
		for _, e := range updateEnv(vars(tt.have), vars(tt.set), strings.Fields(tt.remove)) {
			got = append(got, e.Name+"="+e.Value)
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%q, set %q, remove %q: %q, want %q", tt.have, tt.set, tt.remove, text, tt.want)
		}
	}
}

func TestRefuseOverwrite(t *testing.T) {
	have := []corev1.EnvVar{{Name: "A", Value: "1"}}
	if err := refuseOverwrite(have, []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}); err != nil {
		t.Error(err)
	}
	if err := refuseOverwrite(have, []corev1.EnvVar{{Name: "A", Value: "2"}}); err == nil || err.Error() != "'A' already has a value (1), and --overwrite is false" {
		t.Errorf("error: %v", err)
	}
}

func TestParseResources(t *testing.T) {
	got, err := parseResources("cpu=100m,memory=1Gi")
	if err != nil || got.Cpu().MilliValue() != 100 || got.Memory().Value() != 1<<30 {
		t.Errorf("got %v, %v", got, err)
	}
	for text, want := range map[string]string{"cpu": "invalid argument syntax cpu, expected <resource>=<value>", "a=b=c": "invalid argument syntax a=b=c, expected <resource>=<value>"} {
		if _, err := parseResources(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}
