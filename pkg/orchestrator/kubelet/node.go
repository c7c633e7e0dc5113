package kubelet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// reportEvery is how often an unchanged node says that it is well; its lease says so more often, and at less cost.
const reportEvery = 5 * time.Minute

// machine is what the agent runs on.
type machine struct {
	memory                     int64
	capacity                   corev1.ResourceList
	kernel, osImage            string
	machineID, bootID, product string
}

func readMachine(c *Config) machine {
	m := machine{osImage: osImage(), machineID: firstLine("/etc/machine-id"), bootID: firstLine("/proc/sys/kernel/random/boot_id"),
		product: firstLine("/sys/class/dmi/id/product_uuid")}
	if m.product == "" {
		m.product = m.machineID
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.kernel = unix.ByteSliceToString(u.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.memory = int64(info.Totalram) * int64(info.Unit)
	}
	m.capacity = corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(goruntime.NumCPU()), resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(m.memory, resource.BinarySI),
		corev1.ResourcePods:   *resource.NewQuantity(c.MaxPods, resource.DecimalSI),
	}
	var disk unix.Statfs_t
	dir := c.Dir
	for dir == "" || unix.Statfs(dir, &disk) != nil {
		if dir = strings.TrimSuffix(dir[:strings.LastIndex("/"+dir, "/")], "/"); dir == "" {
			unix.Statfs("/", &disk)
			break
		}
	}
	m.capacity[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(int64(disk.Blocks)*disk.Bsize, resource.BinarySI)
	maps.Copy(m.capacity, c.Capacity)
	if q, ok := c.Capacity[corev1.ResourceMemory]; ok {
		m.memory = q.Value()
	}
	return m
}

func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

func osImage() string {
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "PRETTY_NAME="); ok {
			if name, err := strconv.Unquote(v); err == nil {
				return name
			}
			return v
		}
	}
	return "Linux"
}

// newNode is the Node that this agent stands for.
func (k *Kubelet) newNode() *corev1.Node {
	c := &k.config
	labels := map[string]string{
		corev1.LabelHostname: c.NodeName, corev1.LabelOSStable: goruntime.GOOS, corev1.LabelArchStable: goruntime.GOARCH,
		"beta.kubernetes.io/os": goruntime.GOOS, "beta.kubernetes.io/arch": goruntime.GOARCH,
	}
	maps.Copy(labels, c.Labels)
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: c.NodeName, Labels: labels,
			Annotations: map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true"}},
		Spec: corev1.NodeSpec{PodCIDR: c.PodCIDR, PodCIDRs: c.PodCIDRs, ProviderID: c.ProviderID, Taints: c.Taints},
	}
}

// nodeStatus is the node's status now; conditions that did not change keep their time of transition.
func (k *Kubelet) nodeStatus(old *corev1.NodeStatus, images []container.Image, now time.Time) corev1.NodeStatus {
	c, m := &k.config, &k.machine
	s := *old.DeepCopy()
	s.Capacity, s.Allocatable = m.capacity.DeepCopy(), m.capacity.DeepCopy()
	s.Addresses = nil
	for _, ip := range c.NodeIPs {
		s.Addresses = append(s.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: ip})
	}
	s.Addresses = append(s.Addresses, corev1.NodeAddress{Type: corev1.NodeHostName, Address: c.NodeName})
	s.DaemonEndpoints.KubeletEndpoint.Port = c.KubeletPort
	s.NodeInfo = corev1.NodeSystemInfo{
		MachineID: m.machineID, SystemUUID: m.product, BootID: m.bootID, KernelVersion: m.kernel, OSImage: m.osImage,
		ContainerRuntimeVersion: c.Runtime.Version(), KubeletVersion: c.Version,
		OperatingSystem: goruntime.GOOS, Architecture: goruntime.GOARCH,
	}
	s.Images = imageStatuses(images)
	for _, cond := range []corev1.NodeCondition{
		{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientMemory", Message: "kubelet has sufficient memory available"},
		{Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasNoDiskPressure", Message: "kubelet has no disk pressure"},
		{Type: corev1.NodePIDPressure, Status: corev1.ConditionFalse, Reason: "KubeletHasSufficientPID", Message: "kubelet has sufficient PID available"},
		{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", Message: "kubelet is posting ready status"},
	} {
		setCondition(&s, cond, now)
	}
	return s
}

func setCondition(s *corev1.NodeStatus, c corev1.NodeCondition, now time.Time) {
	c.LastHeartbeatTime, c.LastTransitionTime = *apiTime(now), *apiTime(now)
	for i := range s.Conditions {
		if old := &s.Conditions[i]; old.Type == c.Type {
			if old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
			*old = c
			return
		}
	}
	s.Conditions = append(s.Conditions, c)
}

// imageStatuses lists the fifty largest images with their names.
func imageStatuses(images []container.Image) []corev1.ContainerImage {
	images = slices.Clone(images)
	slices.SortFunc(images, func(a, b container.Image) int {
		if a.Size != b.Size {
			return int(min(max(b.Size-a.Size, -1), 1))
		}
		return strings.Compare(a.ID, b.ID)
	})
	var out []corev1.ContainerImage
	for _, i := range images[:min(len(images), 50)] {
		names := append(slices.Clone(i.RepoDigests), i.RepoTags...)
		out = append(out, corev1.ContainerImage{Names: names[:min(len(names), 5)], SizeBytes: i.Size})
	}
	return out
}

// register brings the node to the API, and tries until it is there.
func (k *Kubelet) register(ctx context.Context) error {
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		err := k.registerOnce(ctx)
		if err == nil {
			break
		}
		k.log.Warn("register node", "error", err)
		if !sleep(ctx, delay) {
			return fmt.Errorf("register node %s: %w", k.config.NodeName, err)
		}
	}
	k.events.nodeEvent(corev1.EventTypeNormal, "Starting", "Starting kubelet.")
	return nil
}

func (k *Kubelet) registerOnce(ctx context.Context) error {
	nodes := k.config.Client.CoreV1().Nodes()
	old, err := nodes.Get(ctx, k.config.NodeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return k.createNode(ctx)
	}
	if err != nil {
		return err
	}
	node, next := k.newNode(), old.DeepCopy()
	if next.Labels == nil {
		next.Labels = map[string]string{}
	}
	maps.Copy(next.Labels, node.Labels)
	if next.Spec.PodCIDR == "" {
		next.Spec.PodCIDR, next.Spec.PodCIDRs = node.Spec.PodCIDR, node.Spec.PodCIDRs
	}
	if !equality.Semantic.DeepEqual(old, next) {
		if old, err = nodes.Update(ctx, next, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	return k.patchStatus(ctx, old)
}

func (k *Kubelet) createNode(ctx context.Context) error {
	images, err := k.config.Images.List(ctx)
	if err != nil {
		return err
	}
	node := k.newNode()
	node.Status = k.nodeStatus(&corev1.NodeStatus{}, images, time.Now())
	if _, err := k.config.Client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return err
	}
	k.events.nodeEvent(corev1.EventTypeNormal, "NodeReady", fmt.Sprintf("Node %s status is now: NodeReady", node.Name))
	return nil
}

// report brings the node's status to the API; a node that somebody deleted comes back.
func (k *Kubelet) report(ctx context.Context) error {
	old, err := k.config.Client.CoreV1().Nodes().Get(ctx, k.config.NodeName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return k.createNode(ctx)
	}
	if err != nil {
		return err
	}
	return k.patchStatus(ctx, old)
}

func (k *Kubelet) patchStatus(ctx context.Context, old *corev1.Node) error {
	images, err := k.config.Images.List(ctx)
	if err != nil {
		return err
	}
	before, err := json.Marshal(corev1.Node{Status: old.Status})
	if err != nil {
		return err
	}
	after, err := json.Marshal(corev1.Node{Status: k.nodeStatus(&old.Status, images, time.Now())})
	if err != nil {
		return err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Node{})
	if err != nil {
		return err
	}
	_, err = k.config.Client.CoreV1().Nodes().Patch(ctx, old.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// nudgeNode has the status reported soon: the images changed.
func (k *Kubelet) nudgeNode() {
	select {
	case k.nudge <- struct{}{}:
	default:
	}
}

func (k *Kubelet) reportNode(ctx context.Context) {
	timer := time.NewTimer(reportEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.nudge:
			if !sleep(ctx, time.Second) { // more images may follow
				return
			}
		case <-timer.C:
		}
		if err := k.report(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("report node status", "error", err)
			timer.Reset(10 * time.Second)
			continue
		}
		timer.Reset(reportEvery)
	}
}
