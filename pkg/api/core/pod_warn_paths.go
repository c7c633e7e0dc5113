package core

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// file is a path inside a volume, and what it comes from where a volume has several sources.
type file struct{ path, source string }

func (f file) String() string {
	if f.source != "" {
		return fmt.Sprintf("%q (%s)", f.path, f.source)
	}
	return fmt.Sprintf("%q", f.path)
}

// overlaps warns of files that stand in each other's place: the same path, or one below the other.
func (w *warner) overlaps() {
	for i := range w.spec.Volumes {
		v := &w.spec.Volumes[i]
		if c := v.ConfigMap; c != nil {
			w.compareFiles(v.Name, fmt.Sprintf("ConfigMap %q", c.Name), keyFiles(c.Items, ""))
		}
		if s := v.Secret; s != nil {
			w.compareFiles(v.Name, fmt.Sprintf("Secret %q", s.SecretName), keyFiles(s.Items, ""))
		}
		if d := v.DownwardAPI; d != nil {
			w.compareFiles(v.Name, "DownwardAPI", downwardFiles(d.Items, ""))
		}
		if v.Projected != nil {
			w.projected(v.Name, v.Projected)
		}
	}
}

func (w *warner) projected(name string, p *corev1.ProjectedVolumeSource) {
	var files []file
	for _, s := range p.Sources {
		switch {
		case s == (corev1.VolumeProjection{}):
			w.warnings = append(w.warnings, fmt.Sprintf("volume %q (Projected) has no sources provided", name))
		case s.ConfigMap != nil && s.ConfigMap.Items != nil:
			files = append(files, keyFiles(s.ConfigMap.Items, fmt.Sprintf("ConfigMap %q", s.ConfigMap.Name))...)
		case s.Secret != nil && s.Secret.Items != nil:
			files = append(files, keyFiles(s.Secret.Items, fmt.Sprintf("Secret %q", s.Secret.Name))...)
		case s.DownwardAPI != nil && s.DownwardAPI.Items != nil:
			files = append(files, downwardFiles(s.DownwardAPI.Items, "DownwardAPI")...)
		case s.ServiceAccountToken != nil:
			files = append(files, file{s.ServiceAccountToken.Path, "ServiceAccountToken"})
		}
	}
	w.compareFiles(name, "Projected", files)
}

func keyFiles(items []corev1.KeyToPath, source string) (files []file) {
	for _, k := range items {
		files = append(files, file{k.Path, source})
	}
	return files
}

func downwardFiles(items []corev1.DownwardAPIVolumeFile, source string) (files []file) {
	for _, f := range items {
		files = append(files, file{f.Path, source})
	}
	return files
}

func (w *warner) compareFiles(volume, what string, files []file) {
	for i := range files {
		files[i].path = strings.TrimRight(files[i].path, "/")
		for _, earlier := range files[:i] {
			a, b := earlier.path+"/", files[i].path+"/"
			if earlier.path != "" && files[i].path != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
				w.warnings = append(w.warnings, fmt.Sprintf("volume %q (%s): overlapping paths: %s with %s", volume, what, files[i], earlier))
			}
		}
	}
}
