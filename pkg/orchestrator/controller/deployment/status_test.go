package deployment

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestProgressStatus(t *testing.T) {
	start := time.Unix(1000, 0)
	for _, test := range []struct {
		name    string
		was     string // reason of the condition before
		updated int32
		ready   int32
		passed  time.Duration
		want    string
		message string
	}{
		{"pods appear", "NewReplicaSetCreated", 1, 0, time.Second, "ReplicaSetUpdated", `ReplicaSet "new" is progressing.`},
		{"all are there", "ReplicaSetUpdated", 2, 2, time.Second, "NewReplicaSetAvailable", `ReplicaSet "new" has successfully progressed.`},
		{"nothing happens, in time", "NewReplicaSetCreated", 0, 0, 599 * time.Second, "NewReplicaSetCreated", ""},
		{"nothing happens, too long", "NewReplicaSetCreated", 0, 0, 601 * time.Second, "ProgressDeadlineExceeded", `ReplicaSet "new" has timed out progressing.`},
		{"once complete, failing pods do not count", "NewReplicaSetAvailable", 0, 0, time.Hour, "NewReplicaSetAvailable", ""},
	} {
		d := deploymentOf(2, "1", "0")
		d.Spec.ProgressDeadlineSeconds = new(int32(600))
		d.Status.Conditions = []appsv1.DeploymentCondition{condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, test.was, "", metav1.NewTime(start))}
		rs := setOf("new", test.updated, test.ready)
		rs.Status.ReadyReplicas = test.ready
		all := []*appsv1.ReplicaSet{rs}
		status := calculateStatus(d, rs, all)
		progressStatus(d, &status, rs, all, metav1.NewTime(start.Add(test.passed)))
		got := getCondition(&status, appsv1.DeploymentProgressing)
		if got.Reason != test.want || got.Message != test.message {
			t.Errorf("%s: got %s %q, want %s %q", test.name, got.Reason, got.Message, test.want, test.message)
		}
	}
}

func TestNextProgressCheck(t *testing.T) {
	start := time.Unix(1000, 0)
	d := deploymentOf(2, "1", "0")
	d.Spec.ProgressDeadlineSeconds = new(int32(600))
	status := appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{
		condition(appsv1.DeploymentProgressing, corev1.ConditionTrue, "ReplicaSetUpdated", "", metav1.NewTime(start)),
	}}
	// seen last three minutes ago: in seven minutes, and a second
	if got, want := nextProgressCheck(d, &status, start.Add(3*time.Minute)), 7*time.Minute+time.Second; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	status.Conditions[0].Reason = reasonTimedOut
	if got := nextProgressCheck(d, &status, start); got != 0 {
		t.Errorf("after the deadline: got %s, want none", got)
	}
}

func TestAvailability(t *testing.T) {
	for _, test := range []struct {
		available int32
		want      corev1.ConditionStatus
	}{{7, corev1.ConditionFalse}, {8, corev1.ConditionTrue}} {
		d := deploymentOf(10, "3", "2")
		rs := setOf("new", 10, test.available)
		status := calculateStatus(d, rs, []*appsv1.ReplicaSet{rs})
		if got := getCondition(&status, appsv1.DeploymentAvailable).Status; got != test.want || status.UnavailableReplicas != 10-test.available {
			t.Errorf("%d of 10 available: got %s and %d unavailable", test.available, got, status.UnavailableReplicas)
		}
	}
}

func TestTerminating(t *testing.T) {
	observed := setOf("observed", 1, 1)
	observed.Status.ObservedGeneration = 1
	counted := setOf("counted", 1, 1)
	counted.Status.TerminatingReplicas = new(int32(2))
	if got := terminating([]*appsv1.ReplicaSet{counted, setOf("fresh", 1, 0)}); got == nil || *got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := terminating([]*appsv1.ReplicaSet{counted, observed}); got != nil {
		t.Errorf("got %d, want unknown", *got)
	}
}
