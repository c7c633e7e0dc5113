package core

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func (d podDescriber) volumes(volumes []corev1.Volume) {
	if len(volumes) == 0 {
		d.w.Print(0, "%sVolumes:\t<none>\n", d.indent)
		return
	}
	d.w.Print(0, "%sVolumes:\n", d.indent)
	for i := range volumes {
		d.w.Print(1, "%s:\n", d.name(volumes[i].Name))
		d.volume(&volumes[i].VolumeSource)
	}
}

// volume writes the type of a volume with what it means, then its settings.
func (d podDescriber) volume(v *corev1.VolumeSource) {
	switch {
	case v.HostPath != nil:
		kind := "<none>"
		if v.HostPath.Type != nil {
			kind = string(*v.HostPath.Type)
		}
		d.volumeType("HostPath (bare host directory volume)", "Path", v.HostPath.Path, "HostPathType", kind)
	case v.EmptyDir != nil:
		limit := "<unset>"
		if q := v.EmptyDir.SizeLimit; q != nil && q.Cmp(resource.Quantity{}) > 0 {
			limit = q.String()
		}
		d.volumeType("EmptyDir (a temporary directory that shares a pod's lifetime)", "Medium", v.EmptyDir.Medium, "SizeLimit", limit)
	case v.Secret != nil:
		d.volumeType("Secret (a volume populated by a Secret)", "SecretName", v.Secret.SecretName, "Optional", isTrue(v.Secret.Optional))
	case v.ConfigMap != nil:
		d.volumeType("ConfigMap (a volume populated by a ConfigMap)", "Name", v.ConfigMap.Name, "Optional", isTrue(v.ConfigMap.Optional))
	case v.DownwardAPI != nil:
		d.downwardAPI(v.DownwardAPI)
	case v.Projected != nil:
		d.projected(v.Projected)
	case v.PersistentVolumeClaim != nil:
		d.volumeType("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
			"ClaimName", v.PersistentVolumeClaim.ClaimName, "ReadOnly", v.PersistentVolumeClaim.ReadOnly)
	case v.NFS != nil:
		d.volumeType("NFS (an NFS mount that lasts the lifetime of a pod)", "Server", v.NFS.Server, "Path", v.NFS.Path, "ReadOnly", v.NFS.ReadOnly)
	case v.Image != nil:
		d.volumeType("Image (a container image or OCI artifact)", "Reference", v.Image.Reference, "PullPolicy", v.Image.PullPolicy)
	default:
		d.w.Print(1, "<unknown>\n")
	}
}

// volumeType writes the type and then pairs of name and value.
func (d podDescriber) volumeType(text string, pairs ...any) {
	d.w.Field(2, "Type", text)
	for i := 0; i+1 < len(pairs); i += 2 {
		d.w.Field(2, fmt.Sprint(pairs[i]), pairs[i+1])
	}
}

func (d podDescriber) downwardAPI(v *corev1.DownwardAPIVolumeSource) {
	d.volumeType("DownwardAPI (a volume populated by information about the pod)")
	d.w.Print(2, "Items:\n")
	for _, item := range v.Items {
		if item.FieldRef != nil {
			d.w.Print(3, "%v -> %v\n", item.FieldRef.FieldPath, item.Path)
		}
		if item.ResourceFieldRef != nil {
			d.w.Print(3, "%v -> %v\n", item.ResourceFieldRef.Resource, item.Path)
		}
	}
}

func (d podDescriber) projected(v *corev1.ProjectedVolumeSource) {
	d.volumeType("Projected (a volume that contains injected data from multiple sources)")
	for _, s := range v.Sources {
		switch {
		case s.Secret != nil:
			d.w.Field(2, "SecretName", s.Secret.Name)
			d.w.Field(2, "Optional", isTrue(s.Secret.Optional))
		case s.DownwardAPI != nil:
			d.w.Field(2, "DownwardAPI", true)
		case s.ConfigMap != nil:
			d.w.Field(2, "ConfigMapName", s.ConfigMap.Name)
			d.w.Field(2, "Optional", isTrue(s.ConfigMap.Optional))
		case s.ServiceAccountToken != nil && s.ServiceAccountToken.ExpirationSeconds != nil:
			d.w.Field(2, "TokenExpirationSeconds", *s.ServiceAccountToken.ExpirationSeconds)
		}
	}
}
