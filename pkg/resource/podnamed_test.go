package resource

import (
	"fmt"
	"net/http"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestPodNamed(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	raw, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: raw}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, arg string
		answer    func(w http.ResponseWriter)
		found     bool
		err       string
	}{
		{"protobuf", "p", func(w http.ResponseWriter) { w.Write(append([]byte("k8s\x00"), envelope...)) }, true, ""},
		{"a server that has JSON alone", "p", func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"kind":"Pod","metadata":{"name":"p"},"status":{"phase":"Running"}}`)
		}, true, ""},
		{"refused: asked the general way", "p", func(w http.ResponseWriter) {
			status(w, apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "p"))
		}, false, ""},
		{"broken", "p", func(w http.ResponseWriter) { w.Write([]byte("k8s\x00\xff")) }, false, "read pod p: unexpected EOF"},
		{"no name", "", nil, false, ""},
		{"of a kind", "deploy/web", nil, false, ""},
		{"several", "a,b", nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, discoveries := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/namespaces/default/pods/p" || tt.answer == nil {
					t.Errorf("asked for %s", r.URL)
					return
				}
				tt.answer(w)
			})
			got, err := c.PodNamed(t.Context(), tt.arg)
			if tt.err != "" && (err == nil || err.Error() != tt.err) || tt.err == "" && err != nil {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if (got != nil) != tt.found || got != nil && (got.Name != "p" || got.Status.Phase != corev1.PodRunning) {
				t.Errorf("got %+v", got)
			}
			if discoveries.Load() != 0 {
				t.Error("asked what the server serves")
			}
		})
	}
}
