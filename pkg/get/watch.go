package get

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// watch shows what is there (unless --watch-only) and then every change, until the server or the user ends it.
func (o *Options) watch(ctx context.Context, client *resource.Client) error {
	target, err := o.watchTarget(ctx, client)
	if err != nil {
		return err
	}
	show, accept, extra, err := o.shower(target)
	if err != nil {
		return err
	}
	rv, err := o.showPresent(ctx, client, target, show, accept, extra)
	if err != nil {
		if apierrors.IsNotFound(err) && o.Query.IgnoreNotFound {
			return nil
		}
		return err
	}
	opts := metav1.ListOptions{LabelSelector: o.Query.LabelSelector, FieldSelector: o.Query.FieldSelector, ResourceVersion: rv}
	if target.Name != "" {
		opts.ResourceVersion = "0"
	}
	// A watch of one name begins with the object itself, which was shown already.
	skip := target.Name != ""
	for e, err := range client.Watch(ctx, target, opts, accept, extra...) {
		if err != nil {
			return cli.Interrupted(ctx, err)
		}
		if skip {
			skip = false
			continue
		}
		event := ""
		if o.OutputWatchEvents {
			event = e.Type
		}
		if err := show(e.Object, event); err != nil {
			return err
		}
	}
	return cli.Interrupted(ctx, nil)
}

func (o *Options) watchTarget(ctx context.Context, client *resource.Client) (resource.Target, error) {
	q := o.Query
	q.SingleType = true
	if q.FromFiles() {
		q.Latest = false
		obj, err := client.Single(ctx, q)
		if err != nil {
			return resource.Target{}, err
		}
		return resource.Target{Mapping: obj.Mapping, Namespace: obj.Namespace, Name: obj.Name}, nil
	}
	targets, _, err := client.Targets(ctx, q)
	if err != nil {
		return resource.Target{}, err
	}
	if len(targets) > 1 {
		return resource.Target{}, fmt.Errorf("watch is only supported on individual resources and resource collections - %d resources were found", len(targets))
	}
	return targets[0], nil
}

type showFunc func(body []byte, event string) error

// shower gives the function that shows one answer or event, and what to ask the server for.
func (o *Options) shower(t resource.Target) (show showFunc, accept string, extra []string, err error) {
	if !o.isTable() {
		printer, err := o.Print.Printer("")
		return func(body []byte, event string) error { return o.showObjects(t.Mapping, printer, body, event) }, "", nil, err
	}
	opts := o.Table
	opts.WithNamespace = o.Query.AllNamespaces && t.Mapping.Namespaced
	opts.Kind = t.Mapping.GVK.GroupKind()
	draw := o.drawer(o.IO.Out, opts)
	accept = tableAccept
	if !o.ServerPrint {
		accept = "application/json"
	}
	return func(body []byte, event string) error {
		table, ok, err := printers.ParseTable(body)
		if err == nil && !ok {
			table, err = plainTable(body)
		}
		if err != nil {
			return err
		}
		draw.Add(table, event)
		return draw.Flush()
	}, accept, nil, nil
}

func (o *Options) showObjects(m *resource.Mapping, printer printers.Printer, body []byte, event string) error {
	var page struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return err
	}
	items := page.Items
	if items == nil {
		items = []json.RawMessage{body}
	}
	for _, item := range items {
		u, err := resource.DecodeItem(item, m)
		if err != nil {
			return err
		}
		var obj runtime.Object = u
		if event != "" {
			obj = &metav1.WatchEvent{Type: event, Object: runtime.RawExtension{Object: u}}
		}
		if err := printer.Print(obj, o.IO.Out); err != nil {
			return fmt.Errorf("unable to output the provided object: %v", err)
		}
	}
	return nil
}

// showPresent reads, and shows unless told not to, what is there; it gives the revision to watch from.
func (o *Options) showPresent(ctx context.Context, client *resource.Client, t resource.Target, show showFunc, accept string, extra []string) (string, error) {
	event := ""
	if o.OutputWatchEvents {
		event = "ADDED"
	}
	if t.Name != "" {
		body, err := client.ReadRaw(ctx, t, "", accept, extra...)
		if err == nil && !o.WatchOnly {
			err = show(body, event)
		}
		return "", err
	}
	opts := metav1.ListOptions{LabelSelector: o.Query.LabelSelector, FieldSelector: o.Query.FieldSelector, Limit: o.Query.ChunkSize}
	rv := ""
	for body, err := range client.Pages(ctx, t, opts, accept, extra...) {
		if err != nil {
			return "", err
		}
		var page struct {
			Metadata metav1.ListMeta `json:"metadata"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return "", err
		}
		rv = page.Metadata.ResourceVersion
		if !o.WatchOnly {
			if err := show(body, event); err != nil {
				return "", err
			}
		}
	}
	return rv, nil
}
