package all_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator/scheduler"
)

// cluster is a cluster in memory with all controllers, the scheduler, and nodes whose kubelets only mark pods.
type cluster struct {
	*clustertest.Cluster
	t *testing.T
	// broken pods, by a part of their image, never become ready
	broken atomic.Value
	ips    atomic.Int32
	dead   atomic.Value // name of the node that has died
}

func run(t *testing.T, config controller.Config, nodes int, f func(c *cluster)) {
	clustertest.Run(t, func(t *testing.T, under *clustertest.Cluster) {
		c := &cluster{Cluster: under, t: t}
		c.broken.Store("broken")
		c.dead.Store("")
		c.start(config, nodes)
		f(c)
	})
}

func (c *cluster) start(config controller.Config, nodes int) {
	meta, err := metadata.NewForConfig(c.Config(auth.Admin()))
	if err != nil {
		c.t.Fatal(err)
	}
	list := all.New(controller.Context{Client: c.Client(), Informers: c.Informers, Metadata: meta, Config: config})
	var runners []clustertest.Runner
	for _, one := range list {
		runners = append(runners, one)
	}
	pods, leases := c.Informers.Core().V1().Pods(), c.Informers.Coordination().V1().Leases()
	runners = append(runners,
		scheduler.New(c.Client(), c.Informers, scheduler.Config{}),
		controller.New("kubelet", c.kubelet, controller.For(pods)),
		controller.New("lease", c.renew, controller.For(c.Informers.Core().V1().Nodes()), controller.Reads(leases)))
	for i := range nodes {
		c.Create(newNode(fmt.Sprintf("node-%d", i+1)))
	}
	c.Run(runners...)
}

func newNode(name string) *corev1.Node {
	amounts := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{
			Capacity: amounts, Allocatable: amounts,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}},
		},
	}
}

// kubelet makes bound pods ready at once and ends those that are deleted.
func (c *cluster) kubelet(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	pod, err := c.Informers.Core().V1().Pods().Lister().Pods(key.Namespace).Get(key.Name)
	if err != nil || pod.Spec.NodeName == "" || pod.Spec.NodeName == c.dead.Load() {
		return controller.Result{}, nil
	}
	client := c.Client().CoreV1().Pods(key.Namespace)
	if pod.DeletionTimestamp != nil {
		err := client.Delete(ctx, key.Name, *metav1.NewDeleteOptions(0))
		if apierrors.IsNotFound(err) {
			err = nil
		}
		return controller.Result{}, err
	}
	if pod.Status.Phase == corev1.PodRunning || strings.Contains(pod.Spec.Containers[0].Image, c.broken.Load().(string)) {
		return controller.Result{}, nil
	}
	pod = pod.DeepCopy()
	n := c.ips.Add(1)
	ip := fmt.Sprintf("10.0.%d.%d", n/250, n%250+1)
	pod.Status.Phase, pod.Status.PodIP, pod.Status.PodIPs = corev1.PodRunning, ip, []corev1.PodIP{{IP: ip}}
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()})
	_, err = client.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return controller.Result{}, err
}

// renew keeps the leases of living nodes fresh.
func (c *cluster) renew(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	if key.Name == c.dead.Load() {
		return controller.Result{}, nil
	}
	client := c.Client().CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now := metav1.NewMicroTime(time.Now())
	lease, err := client.Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: key.Name}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &key.Name, RenewTime: &now}}
		_, err = client.Create(ctx, lease, metav1.CreateOptions{})
	} else if err == nil {
		lease.Spec.RenewTime = &now
		_, err = client.Update(ctx, lease, metav1.UpdateOptions{})
	}
	return controller.Result{After: 2 * time.Second}, err
}

func newDeployment(name, image string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: image, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}},
			},
		},
	}
}

func (c *cluster) deployment(name string) *appsv1.Deployment {
	c.t.Helper()
	d, err := c.Client().AppsV1().Deployments("default").Get(c.Context(), name, metav1.GetOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// edit changes a Deployment, again if someone else was faster.
func (c *cluster) edit(name string, change func(d *appsv1.Deployment)) {
	c.t.Helper()
	for {
		d := c.deployment(name)
		change(d)
		_, err := c.Client().AppsV1().Deployments("default").Update(c.Context(), d, metav1.UpdateOptions{})
		if err == nil {
			return
		}
		if !apierrors.IsConflict(err) {
			c.t.Fatal(err)
		}
	}
}

func (c *cluster) pods() []corev1.Pod {
	c.t.Helper()
	list, err := c.Client().CoreV1().Pods("default").List(c.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

func (c *cluster) replicaSets() []appsv1.ReplicaSet {
	c.t.Helper()
	list, err := c.Client().AppsV1().ReplicaSets("default").List(c.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	return list.Items
}

func (c *cluster) waitRolledOut(name string) *appsv1.Deployment {
	c.t.Helper()
	c.Wait("rolled out", func() bool {
		d := c.deployment(name)
		n := *d.Spec.Replicas
		return d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == n && d.Status.AvailableReplicas == n && d.Status.Replicas == n
	})
	return c.deployment(name)
}

// messages gives the events of an object as "reason: message".
func (c *cluster) messages(kind, name string) []string {
	c.t.Helper()
	list, err := c.Client().CoreV1().Events("default").List(c.Context(), metav1.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	var found []string
	for _, e := range list.Items {
		if e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name {
			found = append(found, e.Reason+": "+e.Message)
		}
	}
	return found
}
