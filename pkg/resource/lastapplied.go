package resource

import (
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// LastApplied is the annotation in which client-side apply keeps what it sent last.
const LastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Modified gives an object as apply sends it: with itself in its last-applied annotation. obj stays as it is.
func Modified(obj runtime.Object) ([]byte, error) {
	c := obj.DeepCopyObject()
	if err := Annotate(c); err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

// Annotate puts an object's own encoding in its last-applied annotation.
func Annotate(obj runtime.Object) error {
	a, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	annotations := a.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	delete(annotations, LastApplied)
	a.SetAnnotations(annotations)
	encoded, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	annotations[LastApplied] = string(encoded) + "\n"
	a.SetAnnotations(annotations)
	return nil
}

// Reannotate refreshes the annotation of an object that has it.
func Reannotate(obj runtime.Object) error {
	a, err := meta.Accessor(obj)
	if err != nil || a.GetAnnotations()[LastApplied] == "" {
		return err
	}
	return Annotate(obj)
}

// WithSource says in an error which file an object came from.
func WithSource(verb, source string, err error) error {
	if source == "" || err == nil {
		return err
	}
	if s, ok := err.(apierrors.APIStatus); ok {
		status := s.Status()
		status.Message = fmt.Sprintf("error when %s %q: %v", verb, source, status.Message)
		return &apierrors.StatusError{ErrStatus: status}
	}
	return fmt.Errorf("error when %s %q: %v", verb, source, err)
}
