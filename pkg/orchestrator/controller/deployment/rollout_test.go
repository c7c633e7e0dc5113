package deployment

import (
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestFenceposts(t *testing.T) {
	for _, test := range []struct {
		surge, unavailable string
		desired            int32
		wantSurge          int32
		wantUnavailable    int32
	}{
		{"25%", "25%", 4, 1, 1},
		{"25%", "25%", 10, 3, 2}, // surge is rounded up, unavailable down
		{"25%", "25%", 1, 1, 0},
		{"0", "1%", 2, 0, 1}, // both would be zero
		{"1%", "25%", 2, 1, 0},
		{"3", "2", 10, 3, 2},
		{"100%", "0", 5, 5, 0},
		{"0", "0", 5, 0, 1},
	} {
		surge, unavailable := intstr.Parse(test.surge), intstr.Parse(test.unavailable)
		gotSurge, gotUnavailable, err := fenceposts(&surge, &unavailable, test.desired)
		if err != nil || gotSurge != test.wantSurge || gotUnavailable != test.wantUnavailable {
			t.Errorf("surge %s, unavailable %s of %d: got %d, %d, %v; want %d, %d", test.surge, test.unavailable, test.desired,
				gotSurge, gotUnavailable, err, test.wantSurge, test.wantUnavailable)
		}
	}
}

func deploymentOf(replicas int32, surge, unavailable string) *appsv1.Deployment {
	s, u := intstr.Parse(surge), intstr.Parse(unavailable)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "default"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &s, MaxUnavailable: &u},
		}},
	}
}

func setOf(name string, replicas, available int32) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
		Spec:       appsv1.ReplicaSetSpec{Replicas: &replicas},
		Status:     appsv1.ReplicaSetStatus{Replicas: replicas, AvailableReplicas: available},
	}
}

func TestPlanRolling(t *testing.T) {
	for _, test := range []struct {
		name string
		d    *appsv1.Deployment
		new  *appsv1.ReplicaSet
		old  []*appsv1.ReplicaSet
		want []scaling
	}{
		{"the surge first", deploymentOf(10, "3", "2"), setOf("new", 0, 0), []*appsv1.ReplicaSet{setOf("old", 10, 10)}, []scaling{{name: "new", to: 3}}},
		{"then old ones down by what may be unavailable", deploymentOf(10, "3", "2"), setOf("new", 3, 0), []*appsv1.ReplicaSet{setOf("old", 10, 10)}, []scaling{{name: "old", to: 8}}},
		{"the new one up into the room", deploymentOf(10, "3", "2"), setOf("new", 3, 0), []*appsv1.ReplicaSet{setOf("old", 8, 8)}, []scaling{{name: "new", to: 5}}},
		{"new pods that crash hold the rest", deploymentOf(10, "3", "2"), setOf("new", 5, 0), []*appsv1.ReplicaSet{setOf("old", 8, 8)}, nil},
		{"even when an old one fails", deploymentOf(10, "3", "2"), setOf("new", 5, 0), []*appsv1.ReplicaSet{setOf("old", 8, 7)}, nil},
		{"after undo the crashing go first", deploymentOf(10, "3", "2"), setOf("good", 8, 7), []*appsv1.ReplicaSet{setOf("bad", 5, 0)}, []scaling{{name: "bad", to: 1}}},
		{"rolling over needs no room of the new one", deploymentOf(10, "3", "2"), setOf("newest", 0, 0), []*appsv1.ReplicaSet{setOf("old", 8, 8), setOf("mid", 5, 0)}, []scaling{{name: "mid", to: 0}}},
		{"no surge: down before up", deploymentOf(2, "0", "1"), setOf("new", 0, 0), []*appsv1.ReplicaSet{setOf("old", 2, 2)}, []scaling{{name: "old", to: 1}}},
		{"too large", deploymentOf(2, "1", "0"), setOf("new", 3, 3), nil, []scaling{{name: "new", to: 2}}},
		{"done", deploymentOf(2, "1", "0"), setOf("new", 2, 2), []*appsv1.ReplicaSet{setOf("old", 0, 0)}, nil},
		{"the last old one", deploymentOf(2, "1", "0"), setOf("new", 2, 2), []*appsv1.ReplicaSet{setOf("old", 1, 1)}, []scaling{{name: "old", to: 0}}},
	} {
		if got := planRolling(test.d, test.new, test.old); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestPlanScale(t *testing.T) {
	marked := func(rs *appsv1.ReplicaSet, age time.Duration, desired, most string) *appsv1.ReplicaSet {
		rs.CreationTimestamp = metav1.NewTime(time.Unix(10000, 0).Add(-age))
		rs.Annotations = map[string]string{desiredAnnotation: desired, maxAnnotation: most}
		return rs
	}
	for _, test := range []struct {
		name string
		d    *appsv1.Deployment
		new  *appsv1.ReplicaSet
		old  []*appsv1.ReplicaSet
		want []scaling
	}{
		{"one active", deploymentOf(5, "25%", "25%"), setOf("new", 2, 2), []*appsv1.ReplicaSet{setOf("old", 0, 0)}, []scaling{{"new", 5, true}}},
		{"the size fits by chance: only the counts", deploymentOf(4, "25%", "25%"), nil, []*appsv1.ReplicaSet{marked(setOf("old", 4, 4), 0, "6", "8")}, []scaling{{"old", 4, true}}},
		{"none active: the new one", deploymentOf(4, "25%", "25%"), setOf("new", 0, 0), []*appsv1.ReplicaSet{setOf("old", 0, 0)}, []scaling{{"new", 4, true}}},
		{"none active and none new: the latest", deploymentOf(4, "25%", "25%"), nil, []*appsv1.ReplicaSet{setOf("older", 0, 0), setOf("later", 0, 0)}, []scaling{{"later", 4, true}}},
		{"a saturated new one ends the others", deploymentOf(4, "25%", "25%"), marked(setOf("new", 4, 4), 0, "4", "5"), []*appsv1.ReplicaSet{setOf("old", 1, 1)}, []scaling{{name: "old"}}},
		{
			"in proportion: 10 to 15 with 3 more, 18 - 13 = 5 to add: 8·18/13 = 11, 5·18/13 = 7", deploymentOf(15, "3", "2"),
			marked(setOf("new", 5, 0), 0, "10", "13"), []*appsv1.ReplicaSet{marked(setOf("old", 8, 8), time.Hour, "10", "13")},
			[]scaling{{"old", 11, true}, {"new", 7, true}},
		},
		{
			"down to zero", deploymentOf(0, "3", "2"),
			marked(setOf("new", 5, 0), 0, "10", "13"), []*appsv1.ReplicaSet{marked(setOf("old", 8, 8), time.Hour, "10", "13")},
			[]scaling{{"old", 0, true}, {"new", 0, true}},
		},
		{
			"of equals the newer grows, and takes the rest", deploymentOf(6, "0", "1"),
			marked(setOf("new", 2, 0), 0, "5", "5"), []*appsv1.ReplicaSet{marked(setOf("old", 2, 2), time.Hour, "5", "5")},
			[]scaling{{"new", 4, true}, {"old", 2, true}},
		},
	} {
		if got := planScale(test.d, test.new, test.old); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}
