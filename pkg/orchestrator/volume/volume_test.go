package volume

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fixed are sources that a test sets by hand.
type fixed struct {
	configMaps map[string]*corev1.ConfigMap
	secrets    map[string]*corev1.Secret
	tokens     int
}

func (f *fixed) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if c, ok := f.configMaps[name]; ok {
		return c, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "configmap"}, name)
}

func (f *fixed) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	if s, ok := f.secrets[name]; ok {
		return s, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Resource: "secret"}, name)
}

func (f *fixed) Token(context.Context, *corev1.Pod, *corev1.ServiceAccountTokenProjection) (string, time.Time, error) {
	f.tokens++
	return "token-" + string(rune('0'+f.tokens)), time.Now().Add(time.Hour), nil
}

func (f *fixed) Allocatable() corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("8Gi")}
}

func podWith(source corev1.VolumeSource) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "uid", Labels: map[string]string{"b": "2", "a": `quo"te`}},
		Spec: corev1.PodSpec{
			Volumes: []corev1.Volume{{Name: "vol", VolumeSource: source}},
			Containers: []corev1.Container{{Name: "c", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m")},
			}}},
		},
	}
}

// tree lists a volume as a container sees it: path, mode and content.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if d.IsDir() && strings.HasPrefix(rel, "..") && rel != ".." {
			return filepath.SkipDir
		}
		if strings.HasPrefix(rel, "..") || rel == "." {
			return nil
		}
		return filepath.WalkDir(follow(path), func(sub string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			b, err := os.ReadFile(sub)
			name := rel + strings.TrimPrefix(sub, follow(path))
			out = append(out, name+" "+info.Mode().Perm().String()+" "+string(b))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

func follow(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path
	}
	return real
}

func m(v int32) *int32 { return &v }

func TestFiles(t *testing.T) {
	yes := true
	sources := &fixed{
		configMaps: map[string]*corev1.ConfigMap{"cm": {Data: map[string]string{"redis-config": "maxmemory 2mb", "other": "x"}, BinaryData: map[string][]byte{"bin": {1}}}},
		secrets:    map[string]*corev1.Secret{"s": {Data: map[string][]byte{"key": []byte("value")}}},
	}
	ref := corev1.LocalObjectReference{Name: "cm"}
	tests := []struct {
		name   string
		source corev1.VolumeSource
		want   string
		err    string
	}{
		{"config map", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref, DefaultMode: m(0o644)}},
			"bin -rw-r--r-- \x01\nother -rw-r--r-- x\nredis-config -rw-r--r-- maxmemory 2mb", ""},
		{"items", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref, DefaultMode: m(0o640), Items: []corev1.KeyToPath{{Key: "redis-config", Path: "etc/redis.conf"}, {Key: "other", Path: "x", Mode: m(0o400)}}}},
			"etc/redis.conf -rw-r----- maxmemory 2mb\nx -r-------- x", ""},
		{"missing key", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref, Items: []corev1.KeyToPath{{Key: "none", Path: "x"}}}},
			"", `MountVolume.SetUp failed for volume "vol" : references non-existent config key: none`},
		{"missing object", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}}},
			"", `MountVolume.SetUp failed for volume "vol" : configmap "none" not found`},
		{"optional object", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}, Optional: &yes}}, "", ""},
		{"secret", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", DefaultMode: m(0o400)}}, "key -r-------- value", ""},
		{"missing secret", corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "none"}}, "", `MountVolume.SetUp failed for volume "vol" : secret "none" not found`},
		{"downward", corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{DefaultMode: m(0o644), Items: []corev1.DownwardAPIVolumeFile{
			{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels"}},
			{Path: "cpu", ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: "c", Resource: "requests.cpu", Divisor: resource.MustParse("1m")}},
			{Path: "memory", ResourceFieldRef: &corev1.ResourceFieldSelector{ContainerName: "c", Resource: "limits.memory", Divisor: resource.MustParse("1Gi")}},
		}}}, "cpu -rw-r--r-- 250\nlabels -rw-r--r-- a=\"quo\\\"te\"\nb=\"2\"\nmemory -rw-r--r-- 8", ""},
		{"projected", corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: m(0o644), Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: ref, Items: []corev1.KeyToPath{{Key: "other", Path: "o"}}}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}}}},
		}}}, "namespace -rw-r--r-- ns\no -rw-r--r-- x\ntoken -rw-r--r-- token-1", ""},
		{"escape", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref, Items: []corev1.KeyToPath{{Key: "other", Path: "../x"}}}},
			"", `MountVolume.SetUp failed for volume "vol" : invalid path "../x": it must be relative and not contain '..'`},
		{"unknown type", corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{}}, "", `MountVolume.SetUp failed for volume "vol" : volumes of type nfs are not supported by this node agent`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sources.tokens = 0
			v := New(Config{Dir: t.TempDir(), Sources: sources})
			pod := podWith(tt.source)
			_, err := v.SetUp(t.Context(), pod)
			if tt.err != "" {
				var failed *SetUpError
				if err == nil || err.Error() != tt.err || !errors.As(err, &failed) || failed.Volume != "vol" {
					t.Fatalf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := tree(t, v.Path("uid", &pod.Spec.Volumes[0])); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
			if err := v.TearDown("uid"); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(v.config.Dir, "pods/uid/*")); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

func TestUpdateIsAtomic(t *testing.T) {
	cm := &corev1.ConfigMap{Data: map[string]string{"a": "1", "gone": "x"}}
	v := New(Config{Dir: t.TempDir(), Sources: &fixed{configMaps: map[string]*corev1.ConfigMap{"cm": cm}}})
	pod := podWith(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}, DefaultMode: m(0o644)}})
	set := func() {
		t.Helper()
		if _, err := v.SetUp(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	set()
	dir := v.Path("uid", &pod.Spec.Volumes[0])
	first, err := os.Readlink(filepath.Join(dir, "..data"))
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	set()
	if same, _ := os.Readlink(filepath.Join(dir, "..data")); same != first {
		t.Errorf("an unchanged volume was written anew: %s, then %s", first, same)
	}
	cm.Data = map[string]string{"a": "2", "new": "y"}
	set()
	if got := tree(t, dir); got != "a -rw-r--r-- 2\nnew -rw-r--r-- y" {
		t.Errorf("after the update:\n%s", got)
	}
	second, _ := os.Readlink(filepath.Join(dir, "..data"))
	if second == first || !strings.HasPrefix(second, "..20") {
		t.Errorf("..data led to %s and leads to %s", first, second)
	}
	if _, err := os.Stat(filepath.Join(dir, first)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old state is left: %v", err)
	}
	if link, _ := os.Readlink(filepath.Join(dir, "a")); link != "..data/a" {
		t.Errorf("a leads to %q", link)
	}
	old := make([]byte, 1)
	if _, err := held.Read(old); err != nil || string(old) != "1" {
		t.Errorf("who held the old file reads %q, %v", old, err)
	}
}

func TestTokenIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sources := &fixed{}
		v := New(Config{Dir: t.TempDir(), Sources: sources})
		pod := podWith(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}}}})
		refresh, err := v.SetUp(t.Context(), pod)
		if err != nil || !refresh.Equal(time.Now().Add(48*time.Minute)) {
			t.Fatalf("refresh at %s, %v", refresh, err)
		}
		time.Sleep(47 * time.Minute)
		if _, err := v.SetUp(t.Context(), pod); err != nil || sources.tokens != 1 {
			t.Errorf("%d tokens after 47 minutes, %v", sources.tokens, err)
		}
		time.Sleep(time.Minute)
		if _, err := v.SetUp(t.Context(), pod); err != nil || sources.tokens != 2 {
			t.Errorf("%d tokens after 48 minutes, %v", sources.tokens, err)
		}
	})
}

func TestEmptyDir(t *testing.T) {
	limit := resource.MustParse("64Mi")
	var mounted []string
	v := New(Config{Dir: t.TempDir(), Sources: &fixed{}, Tmpfs: func(dir, options string) error { mounted = append(mounted, options); return nil }})
	pod := podWith(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	for range 2 {
		if _, err := v.SetUp(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
		dir := v.Path("uid", &pod.Spec.Volumes[0])
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o777 {
			t.Fatalf("mode %v, %v", info.Mode(), err)
		}
		if err := os.WriteFile(filepath.Join(dir, "kept"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasSuffix(v.Path("uid", &pod.Spec.Volumes[0]), "pods/uid/volumes/kubernetes.io~empty-dir/vol") {
		t.Errorf("path %s", v.Path("uid", &pod.Spec.Volumes[0]))
	}
	pod = podWith(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &limit}})
	if _, err := v.SetUp(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	if len(mounted) != 1 || mounted[0] != "mode=0777,size=67108864" {
		t.Errorf("mounted %q", mounted)
	}
}

func TestHostPath(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		typ  corev1.HostPathType
		err  string
	}{
		{dir, corev1.HostPathUnset, ""}, {dir, corev1.HostPathDirectory, ""}, {file, corev1.HostPathFile, ""},
		{dir + "/made", corev1.HostPathDirectoryOrCreate, ""}, {dir + "/made-file", corev1.HostPathFileOrCreate, ""},
		{file, corev1.HostPathDirectory, "hostPath type check failed: " + file + " is not a directory"},
		{dir, corev1.HostPathFile, "hostPath type check failed: " + dir + " is not a file"},
		{dir + "/none", corev1.HostPathDirectory, "hostPath type check failed: " + dir + "/none is not a directory"},
		{file, corev1.HostPathSocket, "hostPath type check failed: " + file + " is not a socket file"},
		{"/dev/null", corev1.HostPathCharDev, ""}, {file, corev1.HostPathBlockDev, "hostPath type check failed: " + file + " is not a block device"},
	}
	for _, tt := range tests {
		err := hostPath(&corev1.HostPathVolumeSource{Path: tt.path, Type: &tt.typ})
		if got := errText(err); got != tt.err {
			t.Errorf("%s as %q: %q, want %q", tt.path, tt.typ, got, tt.err)
		}
	}
	for _, made := range []string{"made", "made-file"} {
		if _, err := os.Stat(filepath.Join(dir, made)); err != nil {
			t.Error(err)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
