package volume

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// emptyDir makes a directory that everyone may write to, on disk or in memory. What it holds stays.
func (v *Volumes) emptyDir(pod *corev1.Pod, e *corev1.EmptyDirVolumeSource, dir string) error {
	switch e.Medium {
	case corev1.StorageMediumDefault:
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	case corev1.StorageMediumMemory:
		options := "mode=0777"
		if e.SizeLimit != nil && e.SizeLimit.Value() > 0 {
			options = fmt.Sprintf("%s,size=%d", options, e.SizeLimit.Value())
		}
		if err := v.tmpfs(dir, options); err != nil {
			return err
		}
	default:
		return fmt.Errorf("storage medium %q of an emptyDir is not supported by this node agent", e.Medium)
	}
	mode := os.FileMode(0o777)
	if gid := fsGroup(pod); gid >= 0 {
		if err := os.Chown(dir, -1, gid); err != nil {
			return err
		}
		mode |= os.ModeSetgid
	}
	return os.Chmod(dir, mode)
}
