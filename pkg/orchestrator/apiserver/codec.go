package apiserver

import (
	"encoding/json"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// protoMessage is what every type of k8s.io/api is.
type protoMessage interface {
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// indexed are the fields by which the store itself selects: a node's agent must not be woken by every pod.
var indexed = []string{"spec.nodeName"}

// codec stores typed objects as bare protobuf messages: the key says which.
type codec struct {
	kinds map[string]*api.Kind
}

// Codec is how objects of kinds are stored.
func Codec(kinds []*api.Kind) store.Codec {
	c := codec{kinds: make(map[string]*api.Kind, len(kinds))}
	for _, k := range kinds {
		c.kinds[storageName(k.GroupResource())] = k
	}
	return c
}

func (codec) Encode(obj any) ([]byte, error) {
	o := obj.(api.Object)
	revision := o.GetResourceVersion()
	o.SetResourceVersion("")
	defer o.SetResourceVersion(revision)
	if m, ok := o.(protoMessage); ok {
		return m.Marshal()
	}
	return json.Marshal(o)
}

func (c codec) Decode(key store.Key, data []byte) (any, error) {
	kind := c.kinds[key.Resource]
	if kind == nil {
		return nil, fmt.Errorf("stored resource %q is not served", key.Resource)
	}
	obj := kind.New()
	if m, ok := obj.(protoMessage); ok {
		if err := m.Unmarshal(data); err != nil {
			return nil, fmt.Errorf("decode %s: %w", key.Resource, err)
		}
	} else if err := json.Unmarshal(data, obj); err != nil {
		return nil, fmt.Errorf("decode %s: %w", key.Resource, err)
	}
	if kind.Default != nil {
		kind.Default(obj)
	}
	return obj, nil
}

func (codec) Stamp(obj any, revision int64) {
	obj.(api.Object).SetResourceVersion(strconv.FormatInt(revision, 10))
}

// Copy spares the store an encoding and a decoding where it needs an object of its own.
func (codec) Copy(obj any) any { return obj.(runtime.Object).DeepCopyObject() }

func (c codec) Index(key store.Key, obj any) map[string]string {
	kind := c.kinds[key.Resource]
	if kind == nil {
		return nil
	}
	var out map[string]string
	for _, name := range indexed {
		if f := kind.Fields[name]; f != nil {
			if out == nil {
				out = make(map[string]string, 1)
			}
			out[name] = f(obj.(api.Object))
		}
	}
	return out
}

// The forms under which an item's bytes are cached. Typed objects are stored without kind and apiVersion, which the
// single object's answer has and the list's items have not.
const (
	formJSON      = "json"
	formProto     = "protobuf"
	formMetaJSON  = "meta+json"
	formMetaProto = "meta+protobuf"
)

func encodeJSON(obj any) ([]byte, error) { return json.Marshal(obj) }

func encodeProto(obj any) ([]byte, error) {
	m, ok := obj.(protoMessage)
	if !ok {
		return nil, fmt.Errorf("%T has no protobuf form", obj)
	}
	return m.Marshal()
}

func encodeMetaJSON(obj any) ([]byte, error) { return json.Marshal(partial(obj.(api.Object))) }

func encodeMetaProto(obj any) ([]byte, error) { return partial(obj.(api.Object)).Marshal() }

// partial is an object's metadata alone; the metadata is shared with obj.
func partial(obj api.Object) *metav1.PartialObjectMetadata {
	p := &metav1.PartialObjectMetadata{}
	switch o := obj.(type) {
	case metav1.ObjectMetaAccessor:
		if m, ok := o.GetObjectMeta().(*metav1.ObjectMeta); ok {
			p.ObjectMeta = *m
			return p
		}
	}
	p.ObjectMeta = metav1.ObjectMeta{
		Name: obj.GetName(), GenerateName: obj.GetGenerateName(), Namespace: obj.GetNamespace(), UID: obj.GetUID(),
		ResourceVersion: obj.GetResourceVersion(), Generation: obj.GetGeneration(), CreationTimestamp: obj.GetCreationTimestamp(),
		DeletionTimestamp: obj.GetDeletionTimestamp(), DeletionGracePeriodSeconds: obj.GetDeletionGracePeriodSeconds(),
		Labels: obj.GetLabels(), Annotations: obj.GetAnnotations(), OwnerReferences: obj.GetOwnerReferences(),
		Finalizers: obj.GetFinalizers(), ManagedFields: obj.GetManagedFields(),
	}
	return p
}

var partialKind = schema.GroupVersionKind{Group: metav1.GroupName, Version: "v1", Kind: "PartialObjectMetadata"}

// withKind puts kind and apiVersion before the fields of a JSON object that has none.
func withKind(kind schema.GroupVersionKind, body []byte) []byte {
	head := `{"kind":` + strconv.Quote(kind.Kind) + `,"apiVersion":` + strconv.Quote(kind.GroupVersion().String())
	out := make([]byte, 0, len(head)+len(body)+1)
	out = append(out, head...)
	if len(body) > 2 {
		out = append(out, ',')
	}
	return append(out, body[1:]...)
}
