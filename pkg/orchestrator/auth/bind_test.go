package auth

import (
	"encoding/json"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestBind(t *testing.T) {
	pod := func(name, node string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: meta("shop", name, name+"-uid"), Spec: corev1.PodSpec{NodeName: node}}
	}
	reader := stored{
		"pods/shop/web-0": pod("web-0", "n1"), "pods/shop/web-1": pod("web-1", "gone"), "pods/shop/web-2": pod("web-2", ""),
		"nodes//n1": &corev1.Node{ObjectMeta: meta("", "n1", "n1-uid")},
	}
	for _, c := range []struct {
		kind   string
		object Ref
		want   string // the claims without the account, or a part of the error
	}{
		{"", Ref{}, `{}`},
		{"Pod", Ref{"web-0", "web-0-uid"}, `{"node":{"name":"n1","uid":"n1-uid"},"pod":{"name":"web-0","uid":"web-0-uid"}}`},
		{"Pod", Ref{"web-1", "web-1-uid"}, `{"node":{"name":"gone","uid":""},"pod":{"name":"web-1","uid":"web-1-uid"}}`},
		{"Pod", Ref{"web-2", "web-2-uid"}, `{"pod":{"name":"web-2","uid":"web-2-uid"}}`},
		{"Pod", Ref{"missing", "x"}, `bind token to pod shop/missing: pods "missing" not found`},
		{"Secret", Ref{"s", "s-uid"}, `{"secret":{"name":"s","uid":"s-uid"}}`},
		{"Node", Ref{"n1", "n1-uid"}, `{"node":{"name":"n1","uid":"n1-uid"}}`},
		{"ConfigMap", Ref{"c", "x"}, "a token cannot be bound to a ConfigMap"},
	} {
		b, err := Bind(t.Context(), reader, "shop", Ref{"web", "sa-1"}, c.kind, c.object)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s %s: got error %v, want %s", c.kind, c.object.Name, err, c.want)
			}
			continue
		}
		data, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Replace(string(data), `"namespace":"shop",`, "", 1)
		got = strings.Replace(strings.Replace(got, `,"serviceaccount":{"name":"web","uid":"sa-1"}`, "", 1), `"serviceaccount":{"name":"web","uid":"sa-1"}`, "", 1)
		if got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.kind, c.object.Name, got, c.want)
		}
	}
}
