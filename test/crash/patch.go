package main

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// patcher makes a writer's update of a typed client's Patch: a value written into an annotation.
func patcher[T object](patch func(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error)) func(context.Context, string, string) (object, error) {
	return func(ctx context.Context, name, value string) (object, error) {
		return patch(ctx, name, types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+written+`":"`+value+`"}}}`), metav1.PatchOptions{})
	}
}

// pacing is how long a writer waits: after a failure a little longer, so that a dead server does not fill its log.
func pacing(milliseconds int, err error) time.Duration {
	if err != nil {
		milliseconds = max(milliseconds, 20)
	}
	return time.Duration(milliseconds) * time.Millisecond
}
