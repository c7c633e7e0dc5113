package auth

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Bind says what a service account's token depends on: a Pod, a Secret, a Node, or with an empty kind the account alone. A
// pod's token also names the node that the pod runs on.
func Bind(ctx context.Context, reader Reader, namespace string, account Ref, kind string, object Ref) (BoundClaims, error) {
	b := BoundClaims{Namespace: namespace, ServiceAccount: account}
	switch kind {
	case "":
	case "Secret":
		b.Secret = &object
	case "Node":
		b.Node = &object
	case "Pod":
		b.Pod = &object
		node, err := nodeOfPod(ctx, reader, namespace, object.Name)
		if err != nil {
			return b, fmt.Errorf("bind token to pod %s/%s: %w", namespace, object.Name, err)
		}
		b.Node = node
	default:
		return b, fmt.Errorf("bind token: a token cannot be bound to a %s", kind)
	}
	return b, nil
}

func nodeOfPod(ctx context.Context, reader Reader, namespace, name string) (*Ref, error) {
	obj, err := reader.Get(ctx, schema.GroupResource{Resource: "pods"}, namespace, name)
	if err != nil {
		return nil, err
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok || pod.Spec.NodeName == "" {
		return nil, nil
	}
	node, err := reader.Get(ctx, schema.GroupResource{Resource: "nodes"}, "", pod.Spec.NodeName)
	if apierrors.IsNotFound(err) {
		return &Ref{Name: pod.Spec.NodeName}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Ref{Name: node.GetName(), UID: string(node.GetUID())}, nil
}
