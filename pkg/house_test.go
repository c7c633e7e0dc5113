// Package pkg_test holds the house rules: who may import whom, and that every package says what it is for. The rules
// are those of docs/architecture.md; a rule that turns out wrong is changed there and here, with the reason.
package pkg_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kubeskiff/skiff/"

// door says what the packages under a path may import of ours. The longest matching path decides. A path ending in "/..."
// stands for everything below it.
type door struct {
	room string
	may  []string
}

// sharedRooms are the rooms of pkg/ that are no verbs.
var sharedRooms = []string{"api", "cli", "resource", "printers", "kustomize", "stream", "editor", "orchestrator"}

var verbMay = []string{"pkg/cli", "pkg/resource", "pkg/printers", "pkg/api/...", "pkg/stream", "pkg/editor"}

var doors = []door{
	{"pkg/printers", nil},
	{"pkg/kustomize", nil},
	{"pkg/kustomize/command", []string{"pkg/cli/shell", "pkg/kustomize"}},
	{"pkg/stream", nil},
	{"pkg/editor", nil},
	{"pkg/api", []string{"pkg/api/schema"}},
	{"pkg/api/schema", nil},
	{"pkg/api/...", []string{"pkg/api", "pkg/api/core", "pkg/api/schema"}},
	{"pkg/api/all", []string{"pkg/api/..."}},
	{"pkg/resource", []string{"pkg/kustomize", "pkg/api/..."}},
	{"pkg/cli", []string{"pkg/resource"}},
	{"pkg/orchestrator/store", nil},
	{"pkg/orchestrator/container", nil},
	{"pkg/orchestrator/image", []string{"pkg/orchestrator/container"}},
	{"pkg/orchestrator/network", []string{"pkg/orchestrator/container"}},
	{"pkg/orchestrator/volume", nil},
	{"pkg/orchestrator/auth", []string{"pkg/api/..."}},
	{"pkg/orchestrator/admission", []string{"pkg/api/...", "pkg/orchestrator/auth"}},
	{"pkg/orchestrator/controller", []string{"pkg/api/..."}},
	{"pkg/orchestrator/scheduler", []string{"pkg/api/..."}},
	{"pkg/orchestrator/apiserver", []string{"pkg/api/...", "pkg/orchestrator/store", "pkg/orchestrator/auth", "pkg/orchestrator/admission"}},
	{"pkg/orchestrator/kubelet", []string{"pkg/api", "pkg/api/core", "pkg/orchestrator/container", "pkg/orchestrator/image", "pkg/orchestrator/network", "pkg/orchestrator/volume"}},
	{"pkg/orchestrator", []string{"pkg/orchestrator/...", "pkg/api/...", "pkg/cli"}},
	{"pkg/orchestrator/clustertest", []string{"pkg/orchestrator/...", "pkg/api", "pkg/api/all"}},
	{"cmd/skiff", append(slices.Clone(verbMay), "pkg/kustomize", "pkg/kustomize/command", "VERBS")},
	{"cmd/kustomize", []string{"pkg/cli/shell", "pkg/kustomize/command"}},
	{"cmd/skiffd", []string{"pkg/cli", "pkg/orchestrator"}},
	{"cmd/skiff-shim", []string{"pkg/orchestrator/container/oci/shim"}},
}

// banned may not be linked into the product, however indirectly.
var banned = []string{"k8s.io/kubernetes", "k8s.io/kubectl", "k8s.io/cli-runtime", "k8s.io/apiserver/pkg/server", "sigs.k8s.io/kustomize"}

type goPackage struct {
	ImportPath, Name, Doc string
	Imports, Deps         []string
}

func list(t *testing.T, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Doc,Imports,Deps"}, args...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return pkgs
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestDoors(t *testing.T) {
	for _, p := range list(t, "./cmd/...", "./pkg/...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if ours && !mayImport(from, to) {
				t.Errorf("%s may not import %s (see docs/architecture.md, Doors)", from, to)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range list(t, "./pkg/...", "./cmd/...") {
		if p.Doc == "" && p.Name != "pkg_test" && p.ImportPath != module+"pkg" {
			t.Errorf("%s has no package comment: say what it is for, and what it never does", p.ImportPath)
		}
	}
}

func TestBannedModules(t *testing.T) {
	for _, p := range list(t, "./cmd/...", "./pkg/...") {
		for _, dep := range p.Deps {
			for _, b := range banned {
				if dep == b || strings.HasPrefix(dep, b+"/") {
					t.Errorf("%s links %s", p.ImportPath, dep)
				}
			}
		}
	}
}

// TestKustomizeLinksNoClient keeps the package initialization of a client out of the engine's own program.
func TestKustomizeLinksNoClient(t *testing.T) {
	for _, p := range list(t, "./cmd/kustomize") {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "k8s.io/client-go") || strings.HasPrefix(dep, "k8s.io/api/") {
				t.Errorf("%s links %s", p.ImportPath, dep)
			}
		}
	}
}

// mayImport applies the table; a room's own subfolders, its siblings under an `all`, and its own parent are open to it.
func mayImport(from, to string) bool {
	if strings.HasPrefix(to, from+"/") && !strings.HasSuffix(to, "/all") {
		return true
	}
	may, verb := allowed(from)
	room := roomOf(from)
	if to == room || (room != "pkg" && strings.HasPrefix(to, room+"/") && (strings.HasSuffix(from, "/all") || strings.HasPrefix(from, to+"/") || sameRoom(from, to))) {
		return true
	}
	_ = verb
	for _, m := range may {
		if m == to {
			return true
		}
		if prefix, ok := strings.CutSuffix(m, "/..."); ok && (to == prefix || strings.HasPrefix(to, prefix+"/")) {
			return true
		}
		if m == "VERBS" && isVerb(to) {
			return true
		}
	}
	return false
}

// sameRoom holds for rooms whose subfolders are parts of one whole (a store's logs, the oci runtime's shim), not for controllers.
func sameRoom(from, to string) bool {
	for _, room := range []string{"pkg/orchestrator/store", "pkg/orchestrator/container/oci", "pkg/kustomize"} {
		if strings.HasPrefix(from, room) && strings.HasPrefix(to, room) {
			return true
		}
	}
	return false
}

func allowed(from string) (may []string, verb bool) {
	best := -1
	for _, d := range doors {
		room, below := strings.CutSuffix(d.room, "/...")
		match := from == room || strings.HasPrefix(from, room+"/")
		if below {
			match = strings.HasPrefix(from, room+"/")
		}
		if match && len(d.room) > best {
			best, may = len(d.room), d.may
		}
	}
	if best < 0 && isVerb(from) {
		return verbMay, true
	}
	return may, false
}

// roomOf is the folder that a package's parts share: pkg/orchestrator/X for the orchestrator's rooms, else pkg/X.
func roomOf(path string) string {
	parts := strings.Split(path, "/")
	n := 2
	if len(parts) > 2 && parts[1] == "orchestrator" {
		n = 3
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

func isVerb(path string) bool {
	rest, ok := strings.CutPrefix(path, "pkg/")
	return ok && !slices.Contains(sharedRooms, strings.Split(rest, "/")[0])
}
