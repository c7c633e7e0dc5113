package kubelet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// hostname is the name a pod's containers see. On the node's own network it is the node's.
func hostname(pod *corev1.Pod, node string) string {
	name := pod.Name
	switch {
	case pod.Spec.HostnameOverride != nil:
		name = *pod.Spec.HostnameOverride
	case pod.Spec.HostNetwork:
		return node
	case pod.Spec.Hostname != "":
		name = pod.Spec.Hostname
	}
	if len(name) > 63 {
		name = strings.TrimRight(name[:63], "-.")
	}
	return name
}

// hostDomain is the domain of a pod with a subdomain.
func hostDomain(pod *corev1.Pod, clusterDomain string) string {
	if pod.Spec.Subdomain == "" || pod.Spec.HostnameOverride != nil {
		return ""
	}
	return pod.Spec.Subdomain + "." + pod.Namespace + ".svc." + clusterDomain
}

// podMounts writes /etc/hosts and /etc/hostname, and gives the mounts that every container of the pod has.
func (k *Kubelet) podMounts(pod *corev1.Pod, podIPs []string) ([]container.Mount, error) {
	dir := k.podDir(pod.UID)
	out := []container.Mount{{Source: filepath.Join(dir, "resolv.conf"), Target: "/etc/resolv.conf"}}
	if _, err := os.Stat(out[0].Source); err != nil {
		if err := k.writeResolv(pod); err != nil {
			return nil, err
		}
	}
	hosts := filepath.Join(dir, "etc-hosts")
	content := hostsFile(pod, podIPs, k.config.NodeName, k.config.ClusterDomain)
	if pod.Spec.HostNetwork {
		own, err := os.ReadFile("/etc/hosts")
		if err != nil {
			return nil, fmt.Errorf("read the node's hosts file: %w", err)
		}
		content = append([]byte("# Kubernetes-managed hosts file (host network).\n"), own...)
		content = append(content, aliases(pod)...)
	}
	if err := writeIfChanged(hosts, content); err != nil {
		return nil, err
	}
	name := filepath.Join(dir, "hostname")
	if err := writeIfChanged(name, []byte(hostname(pod, k.config.NodeName)+"\n")); err != nil {
		return nil, err
	}
	return append(out, container.Mount{Source: hosts, Target: "/etc/hosts"}, container.Mount{Source: name, Target: "/etc/hostname"}), nil
}

func writeIfChanged(path string, content []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

// hostsFile is /etc/hosts of a pod with a network of its own.
func hostsFile(pod *corev1.Pod, podIPs []string, node, clusterDomain string) []byte {
	var b bytes.Buffer
	b.WriteString("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" +
		"fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n")
	name, domain := hostname(pod, node), hostDomain(pod, clusterDomain)
	for _, ip := range podIPs {
		if domain != "" {
			fmt.Fprintf(&b, "%s\t%s.%s\t%s\n", ip, name, domain, name)
		} else {
			fmt.Fprintf(&b, "%s\t%s\n", ip, name)
		}
	}
	b.Write(aliases(pod))
	return b.Bytes()
}

func aliases(pod *corev1.Pod) []byte {
	if len(pod.Spec.HostAliases) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("\n# Entries added by HostAliases.\n")
	for _, a := range pod.Spec.HostAliases {
		fmt.Fprintf(&b, "%s\t%s\n", a.IP, strings.Join(a.Hostnames, "\t"))
	}
	return b.Bytes()
}

func (w *worker) writeResolvConf(pod *corev1.Pod) error {
	if w.k.config.Weightless {
		return nil
	}
	return w.k.writeResolv(pod)
}

func (k *Kubelet) writeResolv(pod *corev1.Pod) error {
	own, err := os.ReadFile(k.config.ResolvConf)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("read the node's resolver configuration: %w", err)
	}
	conf := podResolver(pod, parseResolver(string(own)), k.config.ClusterDNS, k.config.ClusterDomain)
	return writeIfChanged(filepath.Join(k.podDir(pod.UID), "resolv.conf"), []byte(conf.String()))
}

// resolver is a resolv.conf.
type resolver struct{ servers, searches, options []string }

func parseResolver(text string) resolver {
	var r resolver
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") || strings.HasPrefix(f[0], ";") {
			continue
		}
		switch f[0] {
		case "nameserver":
			r.servers = append(r.servers, f[1])
		case "search":
			r.searches = nil
			for _, s := range f[1:] {
				if s != "." {
					r.searches = append(r.searches, strings.TrimSuffix(s, "."))
				}
			}
		case "options":
			for _, o := range f[1:] {
				r.option(o)
			}
		}
	}
	return r
}

// option sets an option, in the place of one of the same name.
func (r *resolver) option(o string) {
	name, _, _ := strings.Cut(o, ":")
	for i := range r.options {
		if n, _, _ := strings.Cut(r.options[i], ":"); n == name {
			r.options[i] = o
			return
		}
	}
	r.options = append(r.options, o)
}

// podResolver is what a pod's dnsPolicy and dnsConfig make of the node's resolver configuration.
func podResolver(pod *corev1.Pod, own resolver, clusterDNS []string, domain string) resolver {
	r := own
	policy := pod.Spec.DNSPolicy
	if policy == corev1.DNSClusterFirst && pod.Spec.HostNetwork {
		policy = corev1.DNSDefault
	}
	switch {
	case policy == corev1.DNSNone:
		r = resolver{}
	case policy == corev1.DNSDefault || len(clusterDNS) == 0:
	default:
		r.servers = slices.Clone(clusterDNS)
		r.searches = append([]string{pod.Namespace + ".svc." + domain, "svc." + domain, domain}, own.searches...)
		r.options = []string{"ndots:5"}
	}
	if c := pod.Spec.DNSConfig; c != nil {
		r.servers = append(slices.Clone(r.servers), c.Nameservers...)
		r.searches = append(slices.Clone(r.searches), c.Searches...)
		r.options = slices.Clone(r.options)
		for _, o := range c.Options {
			if o.Value != nil && *o.Value != "" {
				r.option(o.Name + ":" + *o.Value)
			} else {
				r.option(o.Name)
			}
		}
	}
	r.servers, r.searches = distinct(r.servers), distinct(r.searches)
	// What a resolver reads has bounds: three servers, 32 domains.
	r.servers, r.searches = r.servers[:min(len(r.servers), 3)], r.searches[:min(len(r.searches), 32)]
	return r
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// String writes the file as container runtimes do.
func (r resolver) String() string {
	var b strings.Builder
	if len(r.searches) > 0 {
		b.WriteString("search " + strings.Join(r.searches, " ") + "\n")
	}
	for _, s := range r.servers {
		b.WriteString("nameserver " + s + "\n")
	}
	if len(r.options) > 0 {
		b.WriteString("options " + strings.Join(r.options, " ") + "\n")
	}
	return b.String()
}

// services lists those that a pod's environment names. The agent watches services from the first pod on that asks.
func (k *Kubelet) services(ctx context.Context, pod *corev1.Pod) ([]*corev1.Service, error) {
	if k.config.Services == nil {
		k.watchServices()
		if !cache.WaitFor(ctx, "", k.serviceInformer.HasSyncedChecker()) {
			return nil, fmt.Errorf("services have not yet been read at least once, cannot construct envvars")
		}
	}
	all, known := k.knownServices()
	if !known {
		return nil, fmt.Errorf("failed to list services when setting up env vars")
	}
	return visibleServices(all, pod), nil
}

func (k *Kubelet) watchServices() {
	k.serviceOnce.Do(func() {
		factory := informers.NewSharedInformerFactory(k.config.Client, 0)
		informer := factory.Core().V1().Services()
		k.serviceInformer, k.serviceLister = informer.Informer(), informer.Lister()
		factory.StartWithContext(k.ctx)
		k.work.Go(func() { <-k.ctx.Done(); factory.Shutdown() })
	})
}

// knownServices are all services, if they have been read.
func (k *Kubelet) knownServices() ([]*corev1.Service, bool) {
	lister := k.config.Services
	if lister == nil {
		k.watchServices()
		if lister = k.serviceLister; !k.serviceInformer.HasSynced() {
			return nil, false
		}
	}
	all, err := lister.List(labels.Everything())
	return all, err == nil
}
