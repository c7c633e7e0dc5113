package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
)

const protobufAccept = "application/vnd.kubernetes.protobuf,application/json"

// protobufMagic begins every object that a server sends as protobuf.
var protobufMagic = []byte("k8s\x00")

// PodNamed gets the pod that an argument names by nothing but its name, as protobuf: the first Pod that a program reads from JSON takes
// it 4 ms. It gives nil for any other argument, and where the server refuses: then the general way is to be gone, which knows the words.
func (c *Client) PodNamed(ctx context.Context, arg string) (*corev1.Pod, error) {
	if c.Namespace == "" || c.MatchServerVersion != "" || len(validation.IsDNS1123Subdomain(arg)) > 0 {
		return nil, nil
	}
	body, err := c.Do(ctx, Request{Path: "/api/v1/namespaces/" + c.Namespace + "/pods/" + arg, Accept: protobufAccept})
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	pod := new(corev1.Pod)
	if err := decodeEither(body, pod); err != nil {
		return nil, fmt.Errorf("read pod %s: %w", arg, err)
	}
	return pod, nil
}

// decodeEither reads protobuf, or JSON from a server that knows nothing else.
func decodeEither(body []byte, pod *corev1.Pod) error {
	rest, ok := bytes.CutPrefix(body, protobufMagic)
	if !ok {
		return json.Unmarshal(body, pod)
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(rest); err != nil {
		return err
	}
	return pod.Unmarshal(envelope.Raw)
}
