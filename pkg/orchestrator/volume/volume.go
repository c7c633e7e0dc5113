// Package volume makes the directories that pods mount: one file per volume type. It writes below its own directory and
// to the paths a hostPath names, reads objects through Sources alone, and never mounts anything into a container.
package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Sources gives what volumes are made of.
type Sources interface {
	ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error)
	Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error)
	// Token asks for a token of the pod's service account, bound to the pod.
	Token(ctx context.Context, pod *corev1.Pod, p *corev1.ServiceAccountTokenProjection) (token string, expires time.Time, err error)
	// Allocatable is the node's, for the limits of containers that have none.
	Allocatable() corev1.ResourceList
}

// Config is what Volumes is made with.
type Config struct {
	Dir     string // pods' directories are made below it
	Sources Sources
	// Tmpfs mounts a tmpfs, Unmount takes away what is mounted at or below a directory. Nil leaves plain directories in
	// their place, as a process without privileges must.
	Tmpfs   func(dir, options string) error
	Unmount func(dir string) error
}

// Volumes makes and removes the volumes of pods. Its methods may be called at the same time for different pods.
type Volumes struct {
	config Config
	mu     sync.Mutex
	tokens map[tokenKey]token
}

// New makes Volumes; nothing is touched yet.
func New(c Config) *Volumes { return &Volumes{config: c, tokens: map[tokenKey]token{}} }

// SetUpError says which volume could not be made.
type SetUpError struct {
	Volume string
	Err    error
}

// Error is the text of the real agent's FailedMount event.
func (e *SetUpError) Error() string {
	return fmt.Sprintf("MountVolume.SetUp failed for volume %q : %v", e.Volume, e.Err)
}

func (e *SetUpError) Unwrap() error { return e.Err }

// SetUp makes all volumes of a pod, at the same time, or brings them up to date. It gives the time at which it must be
// called again for a token that grows old (zero: never). The error joins one *SetUpError for each volume that failed.
func (v *Volumes) SetUp(ctx context.Context, pod *corev1.Pod) (refresh time.Time, err error) {
	if len(pod.Spec.Volumes) == 0 {
		return time.Time{}, nil
	}
	results := make([]result, len(pod.Spec.Volumes))
	var wg sync.WaitGroup
	for i := range pod.Spec.Volumes {
		wg.Go(func() { results[i] = v.setUp(ctx, pod, &pod.Spec.Volumes[i]) })
	}
	wg.Wait()
	var errs []error
	for i, r := range results {
		if r.err != nil {
			errs = append(errs, &SetUpError{Volume: pod.Spec.Volumes[i].Name, Err: r.err})
		}
		if !r.refresh.IsZero() && (refresh.IsZero() || r.refresh.Before(refresh)) {
			refresh = r.refresh
		}
	}
	return refresh, errors.Join(errs...)
}

type result struct {
	refresh time.Time
	err     error
}

func (v *Volumes) setUp(ctx context.Context, pod *corev1.Pod, vol *corev1.Volume) result {
	dir := v.dir(pod.UID, vol)
	switch {
	case vol.EmptyDir != nil:
		return result{err: v.emptyDir(pod, vol.EmptyDir, dir)}
	case vol.ConfigMap != nil:
		return result{err: v.configMap(ctx, pod, vol.ConfigMap, dir)}
	case vol.Secret != nil:
		return result{err: v.secret(ctx, pod, vol.Secret, dir)}
	case vol.Projected != nil:
		return v.projected(ctx, pod, vol.Projected, dir)
	case vol.DownwardAPI != nil:
		return result{err: v.downwardAPI(pod, vol.DownwardAPI, dir)}
	case vol.HostPath != nil:
		return result{err: hostPath(vol.HostPath)}
	}
	return result{err: fmt.Errorf("volumes of type %s are not supported by this node agent", typeOf(vol))}
}

// FromAPI says whether a volume is made of API objects, so that it changes while the pod runs.
func FromAPI(vol *corev1.Volume) bool {
	return vol.ConfigMap != nil || vol.Secret != nil || vol.Projected != nil || vol.DownwardAPI != nil
}

// Path is where a volume lies on the node.
func (v *Volumes) Path(uid types.UID, vol *corev1.Volume) string {
	if vol.HostPath != nil {
		return vol.HostPath.Path
	}
	return v.dir(uid, vol)
}

func (v *Volumes) dir(uid types.UID, vol *corev1.Volume) string {
	return filepath.Join(v.config.Dir, "pods", string(uid), "volumes", "kubernetes.io~"+typeDir(vol), vol.Name)
}

// TearDown removes all volumes of a pod; what is gone already is no error.
func (v *Volumes) TearDown(uid types.UID) error {
	v.mu.Lock()
	for k := range v.tokens {
		if k.pod == uid {
			delete(v.tokens, k)
		}
	}
	v.mu.Unlock()
	dir := filepath.Join(v.config.Dir, "pods", string(uid), "volumes")
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if v.config.Unmount != nil {
		if err := v.config.Unmount(dir); err != nil {
			return fmt.Errorf("unmount volumes of pod %s: %w", uid, err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove volumes of pod %s: %w", uid, err)
	}
	return nil
}

// typeDir names the plugin's directory as the real agent does.
func typeDir(vol *corev1.Volume) string {
	switch {
	case vol.EmptyDir != nil:
		return "empty-dir"
	case vol.ConfigMap != nil:
		return "configmap"
	case vol.Secret != nil:
		return "secret"
	case vol.Projected != nil:
		return "projected"
	case vol.DownwardAPI != nil:
		return "downward-api"
	case vol.HostPath != nil:
		return "host-path"
	}
	return "unsupported"
}

// typeOf names the field of a volume source that is set.
func typeOf(vol *corev1.Volume) string {
	s := vol.VolumeSource
	for name, set := range map[string]bool{
		"nfs": s.NFS != nil, "iscsi": s.ISCSI != nil, "persistentVolumeClaim": s.PersistentVolumeClaim != nil,
		"csi": s.CSI != nil, "ephemeral": s.Ephemeral != nil, "image": s.Image != nil, "fc": s.FC != nil,
		"cephfs": s.CephFS != nil, "rbd": s.RBD != nil, "gitRepo": s.GitRepo != nil, "flexVolume": s.FlexVolume != nil,
	} {
		if set {
			return name
		}
	}
	return "unknown"
}

// fsGroup is the group that owns the pod's volumes, or -1.
func fsGroup(pod *corev1.Pod) int {
	if sc := pod.Spec.SecurityContext; sc != nil && sc.FSGroup != nil {
		return int(*sc.FSGroup)
	}
	return -1
}

// tmpfs puts a tmpfs at dir once.
func (v *Volumes) tmpfs(dir, options string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if v.config.Tmpfs == nil {
		return nil
	}
	mounted, err := isMountPoint(dir)
	if err != nil || mounted {
		return err
	}
	if err := v.config.Tmpfs(dir, options); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	return nil
}

// cleanRelative refuses paths that would leave the volume.
func cleanRelative(p string) (string, error) {
	clean := filepath.Clean(p)
	if p == "" || filepath.IsAbs(p) || clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "..") {
		return "", fmt.Errorf("invalid path %q: it must be relative and not contain '..'", p)
	}
	return clean, nil
}
