package kubelet

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// leaseTime is how long a node's word that it lives is good for, where the cluster does not say.
const leaseTime = 40 * time.Second

// renewLease says four times in the lease's time that the node lives. It writes over the lease it has written last, and reads it anew
// only after a failure.
func (k *Kubelet) renewLease(ctx context.Context) {
	var last *coordinationv1.Lease
	for {
		lease, err := k.renew(ctx, last)
		wait := k.config.LeaseTime / 4
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			k.log.Warn("renew node lease", "error", err)
			lease, wait = nil, min(time.Second, wait)
		}
		last = lease
		if !sleep(ctx, wait) {
			return
		}
	}
}

func (k *Kubelet) renew(ctx context.Context, last *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	leases := k.config.Client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	var err error
	if last == nil {
		last, err = leases.Get(ctx, k.config.NodeName, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			fresh := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: k.config.NodeName, Namespace: corev1.NamespaceNodeLease}}
			if node, err := k.config.Client.CoreV1().Nodes().Get(ctx, k.config.NodeName, metav1.GetOptions{}); err == nil {
				fresh.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}
			}
			k.fill(fresh)
			return leases.Create(ctx, fresh, metav1.CreateOptions{})
		}
		if err != nil {
			return nil, err
		}
	}
	next := last.DeepCopy()
	k.fill(next)
	return leases.Update(ctx, next, metav1.UpdateOptions{})
}

func (k *Kubelet) fill(l *coordinationv1.Lease) {
	seconds, now := max(int32(k.config.LeaseTime/time.Second), 1), metav1.NowMicro()
	l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds, l.Spec.RenewTime = &k.config.NodeName, &seconds, &now
}
