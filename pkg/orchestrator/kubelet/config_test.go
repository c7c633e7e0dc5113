package kubelet

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func list(cpu, memory string) corev1.ResourceList {
	out := corev1.ResourceList{}
	if cpu != "" {
		out[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	if memory != "" {
		out[corev1.ResourceMemory] = resource.MustParse(memory)
	}
	return out
}

func TestContainerResources(t *testing.T) {
	const node = 16 << 30
	tests := []struct {
		name             string
		requests, limits corev1.ResourceList
		want             container.Resources
		parent           string
	}{
		{"best effort", nil, nil, container.Resources{CPUShares: 2, CPUPeriod: 100000, OOMScoreAdj: 1000}, "besteffort/poduid"},
		{"limit alone", list("100m", ""), list("100m", ""), container.Resources{CPUShares: 102, CPUQuota: 10000, CPUPeriod: 100000, OOMScoreAdj: 999}, "burstable/poduid"},
		{"guaranteed", list("1", "1Gi"), list("1", "1Gi"), container.Resources{CPUShares: 1024, CPUQuota: 100000, CPUPeriod: 100000, MemoryLimit: 1 << 30, OOMScoreAdj: -997}, "poduid"},
		{"burstable", list("", "4Gi"), nil, container.Resources{CPUShares: 2, CPUPeriod: 100000, OOMScoreAdj: 750}, "burstable/poduid"},
		{"tiny", list("1m", ""), list("1m", ""), container.Resources{CPUShares: 2, CPUQuota: 1000, CPUPeriod: 100000, OOMScoreAdj: 999}, "burstable/poduid"},
	}
	for _, tt := range tests {
		pod := simplePod("p", "a")
		pod.UID = "uid"
		pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: tt.requests, Limits: tt.limits}
		if got := containerResources(pod, &pod.Spec.Containers[0], node); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if got := cgroupParent(pod); got != tt.parent {
			t.Errorf("%s: parent %s, want %s", tt.name, got, tt.parent)
		}
	}
}

func TestSecurity(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	yes, no := true, false
	tests := []struct {
		name  string
		psc   *corev1.PodSecurityContext
		csc   *corev1.SecurityContext
		image string
		want  container.Security
		err   string
	}{
		{name: "default"},
		{name: "image by number", image: "1000:2000", want: container.Security{UID: 1000, GID: 2000}},
		{name: "image by name", image: "redis", want: container.Security{UID: -1, Username: "redis"}},
		{name: "container over pod", psc: &corev1.PodSecurityContext{RunAsUser: n(1), RunAsGroup: n(2), FSGroup: n(3), SupplementalGroups: []int64{4}},
			csc: &corev1.SecurityContext{RunAsUser: n(9)}, image: "redis", want: container.Security{UID: 9, GID: 2, Groups: []int64{4, 3}}},
		{name: "tight", csc: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_BIND_SERVICE"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			want: container.Security{NoNewPrivileges: true, ReadOnlyRoot: true, DropCapabilities: []string{"ALL"}, AddCapabilities: []string{"NET_BIND_SERVICE"}, Seccomp: "runtime/default"}},
		{name: "root by number", psc: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: n(0)}, err: `container's runAsUser breaks non-root policy (pod: "p_default(uid)", container: a)`},
		{name: "root by image", csc: &corev1.SecurityContext{RunAsNonRoot: &yes}, err: `container has runAsNonRoot and image will run as root (pod: "p_default(uid)", container: a)`},
		{name: "unknown user", csc: &corev1.SecurityContext{RunAsNonRoot: &yes}, image: "redis", err: `container has runAsNonRoot and image has non-numeric user (redis), cannot verify user is non-root (pod: "p_default(uid)", container: a)`},
	}
	for _, tt := range tests {
		pod := simplePod("p", "a")
		pod.UID, pod.Spec.SecurityContext, pod.Spec.Containers[0].SecurityContext = "uid", tt.psc, tt.csc
		got, err := security(pod, &pod.Spec.Containers[0], container.ImageConfig{User: tt.image}, "/seccomp")
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: error %v, want %s", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s: got %+v, %v, want %+v", tt.name, got, err, tt.want)
		}
	}
}

func TestHostsFile(t *testing.T) {
	pod := simplePod("web")
	pod.Spec.Subdomain = "sub"
	pod.Spec.HostAliases = []corev1.HostAlias{{IP: "1.2.3.4", Hostnames: []string{"a", "b"}}}
	want := "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\n" +
		"fe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n10.0.0.2\tweb.sub.default.svc.cluster.local\tweb\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n"
	if got := string(hostsFile(pod, []string{"10.0.0.2"}, "node", "cluster.local")); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestPodResolver(t *testing.T) {
	own := parseResolver("# a comment\nnameserver 192.168.0.1\nsearch lan.\noptions edns0 timeout:2\n")
	two := "2"
	tests := []struct {
		policy corev1.DNSPolicy
		host   bool
		config *corev1.PodDNSConfig
		want   string
	}{
		{corev1.DNSClusterFirst, false, nil, "search default.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n"},
		{corev1.DNSClusterFirst, true, nil, "search lan\nnameserver 192.168.0.1\noptions edns0 timeout:2\n"},
		{corev1.DNSClusterFirstWithHostNet, true, nil, "search default.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:5\n"},
		{corev1.DNSDefault, false, nil, "search lan\nnameserver 192.168.0.1\noptions edns0 timeout:2\n"},
		{corev1.DNSNone, false, &corev1.PodDNSConfig{Nameservers: []string{"9.9.9.9"}, Searches: []string{"x"}, Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &two}, {Name: "edns0"}}}, "search x\nnameserver 9.9.9.9\noptions ndots:2 edns0\n"},
		{corev1.DNSClusterFirst, false, &corev1.PodDNSConfig{Options: []corev1.PodDNSConfigOption{{Name: "ndots", Value: &two}}}, "search default.svc.cluster.local svc.cluster.local cluster.local lan\nnameserver 10.96.0.10\noptions ndots:2\n"},
	}
	for _, tt := range tests {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default"}, Spec: corev1.PodSpec{DNSPolicy: tt.policy, HostNetwork: tt.host, DNSConfig: tt.config}}
		if got := podResolver(pod, own, []string{"10.96.0.10"}, "cluster.local").String(); got != tt.want {
			t.Errorf("%s, host network %v: got\n%swant\n%s", tt.policy, tt.host, got, tt.want)
		}
	}
}

func TestCheckImageName(t *testing.T) {
	for _, good := range []string{"redis", "redis:5.0.4", "gcr.io/google-samples/node-hello:1.0", "localhost:5000/a/b_c--d.e", "redis@sha256:0123456789012345678901234567890123456789012345678901234567890123"} {
		if err := checkImageName(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"Redis": `couldn't parse image name "Redis": invalid reference format: repository name (library/Redis) must be lowercase`,
		"a b":   `couldn't parse image name "a b": invalid reference format`,
		"":      `couldn't parse image name "": invalid reference format`,
	} {
		if err := checkImageName(bad); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}
