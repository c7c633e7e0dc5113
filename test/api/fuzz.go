package main

import (
	"fmt"
	"log"
	"math/rand"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/yaml"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/apitest"
)

// Words that random objects are made of: mostly sound ones, so that rules behind the first are reached.
var (
	words = []string{"a", "web", "b-c", "example.com/x", "1.2.3.4", "10.0.0.0/8", "/var/x", "a/b", "v1", "metadata.name", "limits.cpu", "A b", "-", "..", "", "redis:5"}
	enums = map[string][]string{
		"Protocol": {"TCP", "UDP", "SCTP"}, "RestartPolicy": {"Always", "OnFailure", "Never"}, "PullPolicy": {"Always", "Never", ""},
		"DNSPolicy": {"ClusterFirst", "Default", "None", ""}, "ServiceType": {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName", ""},
		"ServiceAffinity": {"None", "ClientIP", ""}, "IPFamily": {"IPv4", "IPv6"}, "IPFamilyPolicy": {"SingleStack", "PreferDualStack"},
		"PodPhase": {"Pending", "Running", "Succeeded", "Failed"}, "ConditionStatus": {"True", "False", "Unknown"}, "URIScheme": {"HTTP", "HTTPS", ""},
		"TaintEffect": {"NoSchedule", "PreferNoSchedule", "NoExecute", ""}, "TolerationOperator": {"Exists", "Equal", ""},
		"NodeSelectorOperator": {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"}, "LabelSelectorOperator": {"In", "NotIn", "Exists", "DoesNotExist"},
		"UnsatisfiableConstraintAction": {"DoNotSchedule", "ScheduleAnyway"}, "DeploymentStrategyType": {"RollingUpdate", "Recreate", ""},
		"ContainerRestartPolicy": {"Always", "Never", "OnFailure"}, "AddressType": {"IPv4", "IPv6", "FQDN"}, "MountPropagationMode": {"None", "HostToContainer", "Bidirectional"},
		"PodConditionType": {"Ready", "Initialized", "PodScheduled"}, "NodeConditionType": {"Ready"}, "NodeAddressType": {"InternalIP", "ExternalIP"},
		"SecretType":                   {"Opaque", "kubernetes.io/tls", "kubernetes.io/basic-auth", "kubernetes.io/dockerconfigjson", "kubernetes.io/ssh-auth", ""},
		"ServiceExternalTrafficPolicy": {"Cluster", "Local", ""}, "ResourceName": {"cpu", "memory", "ephemeral-storage", "example.com/gpu", "hugepages-2Mi", "pods"},
		"SeccompProfileType": {"RuntimeDefault", "Localhost", "Unconfined"}, "TerminationMessagePolicy": {"File", "FallbackToLogsOnError", ""},
	}
)

// fuzz compares n random objects of the kind; it stops at the first few that differ.
func (o *oracle) fuzz(n int, seed int64) {
	fill := filler(seed)
	for i := 0; i < n && o.differences < 8; i++ {
		object := o.kind.New()
		fill.Fill(object)
		enumerate(reflect.ValueOf(object), rand.New(rand.NewSource(seed+int64(i))))
		tame(object)
		data, err := yaml.Marshal(object)
		if err != nil {
			log.Fatal(err)
		}
		next := o.kind.New()
		fill.Fill(next)
		enumerate(reflect.ValueOf(next), rand.New(rand.NewSource(seed-int64(i))))
		tame(next)
		change(object, next, i)
		update, err := yaml.Marshal(next)
		if err != nil {
			log.Fatal(err)
		}
		name := fmt.Sprintf("fuzz %d", i)
		before := o.differences
		o.compare("defaulted", o.must(apitest.Defaulted(o.kind, data)), o.defaulted(data))
		o.compare(name+" created", o.must(apitest.Created(o.kind, data)), o.created(data))
		o.compare(name+" errors", o.must(apitest.Create(o.kind, data)), apitest.Errors(o.create(data)))
		o.compare(name+" warnings", o.must(apitest.Warnings(o.kind, data)), o.warnings(data))
		o.compare(name+" wide", o.must(apitest.Table(true)(o.kind, data)), o.cells(data))
		// What is updated has been created before, which drops the fields of features that are off.
		stored := []byte(o.must(apitest.Created(o.kind, data)))
		if len(o.create(data)) > 0 {
			continue // never stored, so never updated: rules that spare what older servers took do not apply
		}
		o.update(name+" update", "", stored, update)
		for sub := range subresources {
			if kind, sub, _ := strings.Cut(sub, "/"); kind == o.kind.Kind && sub != "resize" {
				o.update(name+" "+sub, sub, stored, update)
			}
		}
		if o.differences > before && *verbose {
			fmt.Println(string(data))
		}
	}
}

// change makes next an update of object: its name, and its spec too in two of three cases.
func change(object, next api.Object, i int) {
	next.SetName(object.GetName())
	if i%3 == 0 {
		return
	}
	was, is := reflect.ValueOf(object.DeepCopyObject()).Elem(), reflect.ValueOf(next).Elem()
	for n := range was.NumField() {
		if name := was.Type().Field(n).Name; name != "ObjectMeta" && name != "TypeMeta" && name != "Status" {
			is.Field(n).Set(was.Field(n))
		}
	}
	if i%3 == 1 {
		return
	}
	if t, ok := next.(*corev1.Pod); ok && len(t.Spec.Containers) > 0 {
		t.Spec.Containers[0].Image = "other:1"
		t.Spec.Tolerations = append(t.Spec.Tolerations, corev1.Toleration{Key: "k", Operator: corev1.TolerationOpExists})
	}
}

func filler(seed int64) *randfill.Filler {
	return randfill.NewWithSeed(seed).NilChance(0.55).NumElements(0, 2).MaxDepth(14).Funcs(
		func(s *string, c randfill.Continue) { *s = words[c.Intn(len(words))] },
		func(n *int32, c randfill.Continue) { *n = []int32{0, 1, 2, 80, 8080, -1, 70000, 420, 30000}[c.Intn(9)] },
		func(n *int64, c randfill.Continue) { *n = []int64{0, 1, 30, 3600, -1, 1000}[c.Intn(6)] },
		func(q *resource.Quantity, c randfill.Continue) {
			*q = resource.MustParse([]string{"0", "1", "100m", "1Gi", "2Mi", "-1", "1500m", "0.5m", "4Mi"}[c.Intn(9)])
		},
		func(v *intstr.IntOrString, c randfill.Continue) {
			*v = []intstr.IntOrString{intstr.FromInt32(0), intstr.FromInt32(80), intstr.FromString("http"), intstr.FromString("25%"), intstr.FromString("101%"), intstr.FromInt32(-1)}[c.Intn(6)]
		},
		func(t *metav1.Time, c randfill.Continue) {},
		func(t *metav1.MicroTime, c randfill.Continue) {},
		func(t *metav1.TypeMeta, c randfill.Continue) {},
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			m.Name, m.Namespace = []string{"a", "web", "A b", "x.y"}[c.Intn(4)], "default"
			c.Fill(&m.Labels)
			c.Fill(&m.Annotations)
		},
		func(u *types.UID, c randfill.Continue) { *u = "1" },
		func(f *metav1.FieldsV1, c randfill.Continue) {},
		func(r *runtime.RawExtension, c randfill.Continue) { r.Raw = []byte(`{"a":1}`) },
		volumeSource,
	)
}

// volumeSource keeps to the types that skiff mounts: the others are stored unjudged.
func volumeSource(s *corev1.VolumeSource, c randfill.Continue) {
	switch c.Intn(8) {
	case 0:
		c.Fill(&s.EmptyDir)
	case 1:
		c.Fill(&s.HostPath)
	case 2:
		c.Fill(&s.Secret)
	case 3:
		c.Fill(&s.ConfigMap)
	case 4:
		c.Fill(&s.DownwardAPI)
	case 5:
		c.Fill(&s.Projected)
	case 6:
		c.Fill(&s.PersistentVolumeClaim)
	case 7:
		c.Fill(&s.NFS)
	}
	if s.Projected != nil {
		for i := range s.Projected.Sources {
			p := &s.Projected.Sources[i]
			*p = []corev1.VolumeProjection{{Secret: p.Secret}, {ConfigMap: p.ConfigMap}, {DownwardAPI: p.DownwardAPI}, {ServiceAccountToken: p.ServiceAccountToken}}[c.Intn(4)]
		}
	}
}

// enumerate gives enumerated fields values that they know, most of the time.
func enumerate(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			enumerate(v.Elem(), r)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				enumerate(v.Field(i), r)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			enumerate(v.Index(i), r)
		}
	case reflect.String:
		if v.CanSet() && v.Type().Name() != "string" {
			if list := enums[v.Type().Name()]; list != nil && r.Intn(20) > 0 {
				v.SetString(list[r.Intn(len(list))])
			} else if list == nil {
				v.SetString(words[r.Intn(len(words))])
			}
		}
	}
}

// tame takes out what neither side is compared on: claims of devices, other operating systems, alpha fields.
func tame(o any) {
	switch o := o.(type) {
	case *corev1.Pod:
		tameSpec(&o.Spec)
		o.Status.ResourceClaimStatuses, o.Status.ExtendedResourceClaimStatus = nil, nil
		o.Status.NodeAllocatableResourceClaimStatuses, o.Status.VolumeHealth = nil, nil
		for _, list := range [][]corev1.ContainerStatus{o.Status.InitContainerStatuses, o.Status.ContainerStatuses, o.Status.EphemeralContainerStatuses} {
			for i := range list {
				list[i].AllocatedResourcesStatus, list[i].VolumeMounts = nil, nil
			}
		}
	case *corev1.Service: // the real server's storage aligns these before its strategy sees them
		if o.Spec.ClusterIP != "" && len(o.Spec.ClusterIPs) == 0 {
			o.Spec.ClusterIPs = []string{o.Spec.ClusterIP}
		}
		if o.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
			o.Spec.HealthCheckNodePort = 30001 // which ours hands out after validation
		}
		o.Spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicySingleStack)
	case *corev1.Node:
		o.Spec.ConfigSource, o.Status.Config, o.Spec.PodPreemptionPolicy = nil, nil, nil
		o.Status.DeclaredFeatures, o.Status.NodeInfo.Swap, o.Spec.PodCIDR = nil, nil, ""
		if len(o.Spec.PodCIDRs) > 0 {
			o.Spec.PodCIDR = o.Spec.PodCIDRs[0]
		}
	}
	v := reflect.ValueOf(o).Elem()
	if spec := v.FieldByName("Spec"); spec.IsValid() {
		if t := spec.FieldByName("Template"); t.IsValid() && t.Kind() == reflect.Struct {
			tameSpec(&t.Addr().Interface().(*corev1.PodTemplateSpec).Spec)
		}
	}
}

func tameSpec(s *corev1.PodSpec) {
	s.OS, s.ResourceClaims, s.Overhead, s.Resources = nil, nil, nil, nil
	containers := func(c *corev1.Container) {
		c.Resources.Claims = nil
		if c.SecurityContext != nil {
			c.SecurityContext.WindowsOptions = nil
		}
		for i := range c.Env {
			if c.Env[i].ValueFrom != nil {
				c.Env[i].ValueFrom.FileKeyRef = nil
			}
		}
		c.VolumeDevices = nil
	}
	for i := range s.InitContainers {
		containers(&s.InitContainers[i])
	}
	for i := range s.Containers {
		containers(&s.Containers[i])
	}
	s.EphemeralContainers = nil
	if s.SecurityContext != nil {
		s.SecurityContext.WindowsOptions, s.SecurityContext.SELinuxChangePolicy = nil, nil
	}
	s.TerminationGracePeriodSeconds = ptr.To[int64](30)
}
