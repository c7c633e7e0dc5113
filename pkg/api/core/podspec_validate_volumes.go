package core

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const fileMode = "must be a number between 0 and 0777 (octal), both inclusive"

// validateVolumes gives the sound ones by name, for mounts to be judged against.
func validateVolumes(list []corev1.Volume, at *field.Path) (volumes map[string]corev1.VolumeSource, errs field.ErrorList) {
	volumes = map[string]corev1.VolumeSource{}
	for i := range list {
		v, p := &list[i], at.Index(i)
		bad := validateVolumeSource(&v.VolumeSource, p)
		if v.Name == "" {
			bad = append(bad, field.Required(p.Child("name"), ""))
		} else {
			bad = append(bad, ValidateLabelName(v.Name, p.Child("name"))...)
		}
		if _, twice := volumes[v.Name]; twice {
			bad = append(bad, field.Duplicate(p.Child("name"), v.Name))
		}
		if len(bad) == 0 {
			volumes[v.Name] = v.VolumeSource
		}
		errs = append(errs, bad...)
	}
	return volumes, errs
}

// validateVolumeSource judges the one source that a volume may have. The types that skiff does not mount are only counted.
func validateVolumeSource(s *corev1.VolumeSource, at *field.Path) (errs field.ErrorList) {
	found := 0
	judge := func(set bool, name string, rule func(*field.Path) field.ErrorList) {
		switch {
		case !set:
		case found > 0:
			errs = append(errs, field.Forbidden(at.Child(name), "may not specify more than 1 volume type"))
		default:
			found++
			if rule != nil {
				errs = append(errs, rule(at.Child(name))...)
			}
		}
	}
	judge(s.EmptyDir != nil, "emptyDir", func(p *field.Path) field.ErrorList {
		if q := s.EmptyDir.SizeLimit; q != nil && q.Sign() < 0 {
			return field.ErrorList{field.Forbidden(p.Child("sizeLimit"), "SizeLimit field must be a valid resource quantity")}
		}
		return nil
	})
	judge(s.HostPath != nil, "hostPath", func(p *field.Path) field.ErrorList { return validateHostPath(s.HostPath, p) })
	judge(s.GitRepo != nil, "gitRepo", nil)
	judge(s.GCEPersistentDisk != nil, "gcePersistentDisk", nil)
	judge(s.AWSElasticBlockStore != nil, "awsElasticBlockStore", nil)
	judge(s.Secret != nil, "secret", func(p *field.Path) field.ErrorList {
		return validateFiles(s.Secret.SecretName, "secretName", s.Secret.DefaultMode, s.Secret.Items, p)
	})
	judge(s.NFS != nil, "nfs", func(p *field.Path) field.ErrorList { return validateNFS(s.NFS, p) })
	judge(s.ISCSI != nil, "iscsi", nil)
	judge(s.Glusterfs != nil, "glusterfs", nil)
	judge(s.Flocker != nil, "flocker", nil)
	judge(s.PersistentVolumeClaim != nil, "persistentVolumeClaim", func(p *field.Path) field.ErrorList {
		return required(s.PersistentVolumeClaim.ClaimName, p.Child("claimName"))
	})
	judge(s.RBD != nil, "rbd", nil)
	judge(s.Cinder != nil, "cinder", nil)
	judge(s.CephFS != nil, "cephFS", nil)
	judge(s.Quobyte != nil, "quobyte", nil)
	judge(s.DownwardAPI != nil, "downwardAPI", func(p *field.Path) field.ErrorList {
		errs := validateMode(s.DownwardAPI.DefaultMode, p.Child("defaultMode"))
		for i := range s.DownwardAPI.Items {
			errs = append(errs, validateDownwardFile(&s.DownwardAPI.Items[i], p)...)
		}
		return errs
	})
	judge(s.FC != nil, "fc", nil)
	judge(s.FlexVolume != nil, "flexVolume", nil)
	judge(s.ConfigMap != nil, "configMap", func(p *field.Path) field.ErrorList {
		return validateFiles(s.ConfigMap.Name, "name", s.ConfigMap.DefaultMode, s.ConfigMap.Items, p)
	})
	judge(s.AzureFile != nil, "azureFile", nil)
	judge(s.VsphereVolume != nil, "vsphereVolume", nil)
	judge(s.PhotonPersistentDisk != nil, "photonPersistentDisk", nil)
	judge(s.PortworxVolume != nil, "portworxVolume", nil)
	judge(s.AzureDisk != nil, "azureDisk", nil)
	judge(s.StorageOS != nil, "storageos", nil)
	judge(s.Projected != nil, "projected", func(p *field.Path) field.ErrorList { return validateProjected(s.Projected, p) })
	judge(s.ScaleIO != nil, "scaleIO", nil)
	judge(s.CSI != nil, "csi", func(p *field.Path) field.ErrorList { return required(s.CSI.Driver, p.Child("driver")) })
	judge(s.Ephemeral != nil, "ephemeral", func(p *field.Path) field.ErrorList {
		if s.Ephemeral.VolumeClaimTemplate == nil {
			return field.ErrorList{field.Required(p.Child("volumeClaimTemplate"), "")}
		}
		return nil
	})
	judge(s.Image != nil, "image", func(p *field.Path) field.ErrorList {
		errs := required(s.Image.Reference, p.Child("reference"))
		return append(errs, oneOf(s.Image.PullPolicy, p.Child("pullPolicy"), corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	})
	if found == 0 {
		errs = append(errs, field.Required(at, "must specify a volume type"))
	}
	return errs
}

func required(value string, at *field.Path) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return nil
}

func validateMode(mode *int32, at *field.Path) field.ErrorList {
	if mode == nil || *mode >= 0 && *mode <= 0o777 {
		return nil
	}
	return field.ErrorList{field.Invalid(at, *mode, fileMode)}
}

func validateHostPath(h *corev1.HostPathVolumeSource, at *field.Path) field.ErrorList {
	if h.Path == "" {
		return field.ErrorList{field.Required(at.Child("path"), "")}
	}
	errs := noBacksteps(h.Path, at.Child("path"))
	if h.Type != nil {
		errs = append(errs, oneOf(*h.Type, at.Child("type"), corev1.HostPathUnset, corev1.HostPathBlockDev, corev1.HostPathCharDev,
			corev1.HostPathDirectory, corev1.HostPathDirectoryOrCreate, corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket)...)
	}
	return errs
}

func validateNFS(n *corev1.NFSVolumeSource, at *field.Path) field.ErrorList {
	errs := append(required(n.Server, at.Child("server")), required(n.Path, at.Child("path"))...)
	if !path.IsAbs(n.Path) {
		errs = append(errs, field.Invalid(at.Child("path"), n.Path, "must be an absolute path"))
	}
	return errs
}

// validateFiles judges a volume of the keys of a ConfigMap or Secret.
func validateFiles(name, nameField string, mode *int32, items []corev1.KeyToPath, at *field.Path) field.ErrorList {
	errs := required(name, at.Child(nameField))
	errs = append(errs, validateMode(mode, at.Child("defaultMode"))...)
	for i := range items {
		errs = append(errs, validateKeyToPath(&items[i], at.Child("items").Index(i))...)
	}
	return errs
}

func validateKeyToPath(k *corev1.KeyToPath, at *field.Path) field.ErrorList {
	errs := append(required(k.Key, at.Child("key")), required(k.Path, at.Child("path"))...)
	errs = append(errs, filePath(k.Path, at.Child("path"))...)
	return append(errs, validateMode(k.Mode, at.Child("mode"))...)
}

func validateDownwardFile(f *corev1.DownwardAPIVolumeFile, at *field.Path) field.ErrorList {
	errs := required(f.Path, at.Child("path"))
	errs = append(errs, filePath(f.Path, at.Child("path"))...)
	switch {
	case f.FieldRef != nil:
		errs = append(errs, validateFieldRef(f.FieldRef, volumeFields, at.Child("fieldRef"))...)
		if f.ResourceFieldRef != nil {
			errs = append(errs, field.Invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
		}
	case f.ResourceFieldRef != nil:
		errs = append(errs, validateResourceRef(f.ResourceFieldRef, true, at.Child("resourceFieldRef"))...)
	default:
		errs = append(errs, field.Required(at, "one of fieldRef and resourceFieldRef is required"))
	}
	return append(errs, validateMode(f.Mode, at.Child("mode"))...)
}

func validateProjected(v *corev1.ProjectedVolumeSource, at *field.Path) field.ErrorList {
	errs := validateMode(v.DefaultMode, at.Child("defaultMode"))
	taken := sets.New[string]()
	take := func(file, shown string) {
		if file != "" && taken.Has(file) {
			errs = append(errs, field.Invalid(at, shown, "conflicting duplicate paths"))
		}
		taken.Insert(file)
	}
	keys := func(name string, items []corev1.KeyToPath, p *field.Path) {
		errs = append(errs, required(name, p.Child("name"))...)
		for i := range items {
			errs = append(errs, validateKeyToPath(&items[i], p.Child("items").Index(i))...)
			take(items[i].Path, name)
		}
	}
	for i := range v.Sources {
		s, p, found := &v.Sources[i], at.Child("sources").Index(i), 0
		if s.Secret != nil {
			found++
			keys(s.Secret.Name, s.Secret.Items, p.Child("secret"))
		}
		if s.ConfigMap != nil {
			found++
			keys(s.ConfigMap.Name, s.ConfigMap.Items, p.Child("configMap"))
		}
		if s.DownwardAPI != nil {
			found++
			for j := range s.DownwardAPI.Items {
				f := &s.DownwardAPI.Items[j]
				errs = append(errs, validateDownwardFile(f, p.Child("downwardAPI"))...)
				take(f.Path, f.Path)
			}
		}
		if s.ServiceAccountToken != nil {
			found++
			errs = append(errs, validateTokenProjection(s.ServiceAccountToken, at, p.Child("serviceAccountToken"))...)
		}
		if found > 1 {
			errs = append(errs, field.Forbidden(p, "may not specify more than 1 volume type per source"))
		}
	}
	return errs
}

// Bounds of how long a projected token may live.
const (
	minTokenSeconds = 10 * 60
	maxTokenSeconds = 1 << 32
)

func validateTokenProjection(t *corev1.ServiceAccountTokenProjection, volume, at *field.Path) (errs field.ErrorList) {
	p := at.Child("expirationSeconds")
	switch s := t.ExpirationSeconds; {
	case s == nil:
		errs = append(errs, field.Required(p, ""))
	case *s < minTokenSeconds:
		errs = append(errs, field.Invalid(p, *s, "may not specify a duration less than 10 minutes"))
	case *s > maxTokenSeconds:
		errs = append(errs, field.Invalid(p, *s, "may not specify a duration larger than 2^32 seconds"))
	}
	if t.Path == "" {
		return append(errs, field.Required(volume.Child("path"), ""))
	}
	return append(errs, filePath(t.Path, volume.Child("path"))...)
}

// filePath allows paths that stay below the volume and off its own files, whose names begin with two dots.
func filePath(p string, at *field.Path) field.ErrorList {
	errs := descending(p, at)
	if strings.HasPrefix(p, "..") && !strings.HasPrefix(p, "../") {
		errs = append(errs, field.Invalid(at, p, "must not start with '..'"))
	}
	return errs
}

func descending(p string, at *field.Path) (errs field.ErrorList) {
	if path.IsAbs(p) {
		errs = append(errs, field.Invalid(at, p, "must be a relative path"))
	}
	return append(errs, noBacksteps(p, at)...)
}

func noBacksteps(p string, at *field.Path) field.ErrorList {
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return field.ErrorList{field.Invalid(at, p, "must not contain '..'")}
		}
	}
	return nil
}

func (in containerContext) mounts(c *corev1.Container, at *field.Path) (errs field.ErrorList) {
	paths, devices, devicePaths := sets.New[string](), sets.New[string](), sets.New[string]()
	for _, d := range c.VolumeDevices {
		devices.Insert(d.Name)
		devicePaths.Insert(d.DevicePath)
	}
	for i := range c.VolumeMounts {
		m, p := &c.VolumeMounts[i], at.Index(i)
		errs = append(errs, required(m.Name, p.Child("name"))...)
		if _, ok := in.volumes[m.Name]; !ok {
			errs = append(errs, field.NotFound(p.Child("name"), m.Name))
		}
		errs = append(errs, required(m.MountPath, p.Child("mountPath"))...)
		if paths.Has(m.MountPath) {
			errs = append(errs, field.Invalid(p.Child("mountPath"), m.MountPath, "must be unique"))
		}
		paths.Insert(m.MountPath)
		if devices.Has(m.Name) {
			errs = append(errs, field.Invalid(p.Child("name"), m.Name, "must not already exist in volumeDevices"))
		}
		if devicePaths.Has(m.MountPath) {
			errs = append(errs, field.Invalid(p.Child("mountPath"), m.MountPath, "must not already exist as a path in volumeDevices"))
		}
		// Upstream names these without the index.
		if m.SubPath != "" {
			errs = append(errs, descending(m.SubPath, at.Child("subPath"))...)
		}
		if m.SubPathExpr != "" {
			if m.SubPath != "" {
				errs = append(errs, field.Invalid(p.Child("subPathExpr"), m.SubPathExpr, "subPathExpr and subPath are mutually exclusive"))
			}
			errs = append(errs, descending(m.SubPathExpr, at.Child("subPathExpr"))...)
		}
		errs = append(errs, validatePropagation(m, c, at)...)
	}
	return errs
}

func validatePropagation(m *corev1.VolumeMount, c *corev1.Container, at *field.Path) (errs field.ErrorList) {
	if mode := m.MountPropagation; mode != nil {
		p := at.Child("mountPropagation")
		errs = append(errs, oneOf(*mode, p, corev1.MountPropagationBidirectional, corev1.MountPropagationHostToContainer, corev1.MountPropagationNone)...)
		if *mode == corev1.MountPropagationBidirectional && !isPrivileged(c.SecurityContext) {
			errs = append(errs, field.Forbidden(p, "Bidirectional mount propagation is available only to privileged containers"))
		}
	}
	if m.RecursiveReadOnly == nil {
		return errs
	}
	p := at.Child("recursiveReadOnly")
	switch *m.RecursiveReadOnly {
	case corev1.RecursiveReadOnlyDisabled:
	case corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible:
		if !m.ReadOnly {
			errs = append(errs, field.Forbidden(p, "may only be specified when readOnly is true"))
		}
		if mode := m.MountPropagation; mode != nil && *mode != corev1.MountPropagationNone {
			errs = append(errs, field.Forbidden(p, "may only be specified when mountPropagation is None or not specified"))
		}
	default:
		errs = append(errs, field.NotSupported(p, *m.RecursiveReadOnly, []corev1.RecursiveReadOnlyMode{
			corev1.RecursiveReadOnlyDisabled, corev1.RecursiveReadOnlyEnabled, corev1.RecursiveReadOnlyIfPossible}))
	}
	return errs
}

func (in containerContext) devices(c *corev1.Container, at *field.Path) (errs field.ErrorList) {
	for i, d := range c.VolumeDevices {
		p := at.Index(i)
		errs = append(errs, required(d.Name, p.Child("name"))...)
		v, ok := in.volumes[d.Name]
		switch {
		case !ok:
			errs = append(errs, field.NotFound(p.Child("name"), d.Name))
		case v.PersistentVolumeClaim == nil && v.Ephemeral == nil:
			errs = append(errs, field.Invalid(p.Child("name"), d.Name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"))
		}
		errs = append(errs, required(d.DevicePath, p.Child("devicePath"))...)
		if len(noBacksteps(d.DevicePath, p)) > 0 {
			errs = append(errs, field.Invalid(p.Child("devicePath"), d.DevicePath, "can not contain backsteps ('..')"))
		}
	}
	return errs
}
