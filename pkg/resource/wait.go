package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Condition tells whether an object is as one waits for it to be.
type Condition func(obj *unstructured.Unstructured) (bool, error)

// WaitError is the end of patience.
func WaitError(o *Object) error {
	return fmt.Errorf("timed out waiting for the condition on %s", o.ResourceName())
}

// rewatch is the pause before a watch that ended is begun anew.
const rewatch = 100 * time.Millisecond

// WaitFor reads and watches an object until met holds. An object that is not there, or goes away, is NotFound; when ctx
// ends the error is WaitError.
func (c *Client) WaitFor(ctx context.Context, o *Object, met Condition) error {
	return c.until(ctx, o, func(u *unstructured.Unstructured) (bool, error) {
		if u == nil {
			return true, apierrors.NewNotFound(o.Mapping.GroupResource(), o.Name)
		}
		ok, err := met(u)
		if ok && err == nil {
			o.replace(u)
		}
		return ok || err != nil, err
	})
}

// WaitDeleted waits until an object is gone. With uid, another one of the same name does not count.
func (c *Client) WaitDeleted(ctx context.Context, o *Object, uid types.UID) error {
	return c.until(ctx, o, func(u *unstructured.Unstructured) (bool, error) {
		return u == nil || uid != "" && u.GetUID() != uid, nil
	})
}

// until shows check the object's states, nil when it is gone, until check is done.
func (c *Client) until(ctx context.Context, o *Object, check func(*unstructured.Unstructured) (done bool, err error)) error {
	if o.Name == "" {
		return fmt.Errorf("resource name must be provided")
	}
	target := Target{Mapping: o.Mapping, Namespace: o.Namespace, Name: o.Name}
	for {
		body, err := c.Do(ctx, Request{Path: o.Mapping.Path(o.Namespace, o.Name), Resource: o.Mapping.GroupResource(), Name: o.Name})
		if ctx.Err() != nil {
			return ended(ctx, o)
		}
		var u *unstructured.Unstructured
		if err == nil {
			u, err = decode(body)
		}
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		if done, err := check(u); done || err != nil || u == nil {
			return err
		}
		for e, err := range c.Watch(ctx, target, metav1.ListOptions{ResourceVersion: u.GetResourceVersion()}, "") {
			if err != nil {
				break
			}
			if e.Type == "DELETED" {
				if done, err := check(nil); done || err != nil {
					return err
				}
				break
			}
			now, err := e.Decode()
			if err != nil {
				return err
			}
			if done, err := check(now); done || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ended(ctx, o)
		case <-time.After(rewatch):
		}
	}
}

func ended(ctx context.Context, o *Object) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return WaitError(o)
	}
	return ctx.Err()
}
