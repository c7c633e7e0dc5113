package garbagecollector

import (
	"reflect"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func owned(uid types.UID, owners ...types.UID) *object {
	o := &object{uid: uid, name: string(uid), namespace: "default"}
	for _, owner := range owners {
		o.owners = append(o.owners, metav1.OwnerReference{UID: owner, BlockOwnerDeletion: new(true)})
	}
	return o
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name       string
		states     map[types.UID]ownerState
		finalizer  string
		dependents bool
		want       verdict
	}{
		{"both there", map[types.UID]ownerState{"a": solid, "b": solid}, "", false, verdict{}},
		{"one gone", map[types.UID]ownerState{"a": gone, "b": solid}, "", false, verdict{drop: []types.UID{"a"}}},
		{"one waits, one stays", map[types.UID]ownerState{"a": waiting, "b": solid}, "", true, verdict{drop: []types.UID{"a"}}},
		{"both gone", map[types.UID]ownerState{"a": gone, "b": gone}, "", true, verdict{delete: metav1.DeletePropagationBackground}},
		{"one waits and it has dependents", map[types.UID]ownerState{"a": waiting, "b": gone}, "", true, verdict{delete: metav1.DeletePropagationForeground}},
		{"one waits and it has none", map[types.UID]ownerState{"a": waiting, "b": gone}, "", false, verdict{delete: metav1.DeletePropagationBackground}},
		{"asked to orphan", map[types.UID]ownerState{"a": gone, "b": gone}, "orphan", true, verdict{delete: metav1.DeletePropagationOrphan}},
		{"asked to wait", map[types.UID]ownerState{"a": gone, "b": gone}, "foreground", true, verdict{delete: metav1.DeletePropagationForeground}},
	} {
		o := owned("o", "a", "b")
		o.orphan, o.foreground = test.finalizer == "orphan", test.finalizer == "foreground"
		got := judge(o, test.states, test.dependents)
		if got.delete != "" {
			got.drop = nil
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestGraph(t *testing.T) {
	g := newGraph()
	if _, orphaned := g.set(owned("pod", "set")); !orphaned {
		t.Error("the owner is not known yet")
	}
	g.set(owned("set", "deployment"))
	g.set(owned("deployment"))
	if !g.kept(g.get("pod")) || !g.kept(g.get("set")) {
		t.Error("all owners are there")
	}
	deleted := owned("set", "deployment")
	deleted.deleted, deleted.foreground = true, true
	if wake, _ := g.set(deleted); !slices.Contains(wake, "set") {
		t.Errorf("woken %v, want the owner that waits", wake)
	}
	if g.kept(g.get("pod")) || len(blocking("set", g.dependentsOf("set"))) != 1 {
		t.Error("the pod blocks its owner")
	}
	if wake := g.remove("pod"); !slices.Equal(wake, []types.UID{"set"}) {
		t.Errorf("woken %v, want the owner that waited", wake)
	}
	if wake := g.remove("deployment"); !slices.Equal(wake, []types.UID{"set"}) {
		t.Errorf("woken %v, want the dependent", wake)
	}
	if len(g.dependents["set"]) != 0 {
		t.Error("an edge is left")
	}
}
