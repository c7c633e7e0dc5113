package apiserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// minWatch is the shortest time after which the server ends a watch that names no end; it is drawn up to twice as long.
const minWatch = 30 * time.Minute

// bookmarkEvery is how often a watcher that asks for bookmarks learns how far the store is.
const bookmarkEvery = time.Minute

// watch streams changes: from a revision on, or what there is and then its changes, with or without a mark between.
func (s *Server) watch(q *request) error {
	opts, err := q.listOptions()
	if err != nil {
		return err
	}
	sel, err := q.selector(opts)
	if err != nil {
		return err
	}
	from, err := parseRevision(opts.ResourceVersion)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(q.ctx, watchTime(opts.TimeoutSeconds))
	defer cancel()
	out := &stream{q: q, sel: sel, bookmarks: opts.AllowWatchBookmarks}

	initial := from == 0
	if opts.SendInitialEvents != nil {
		initial = *opts.SendInitialEvents
	}
	var items []*store.Item
	if initial || (opts.SendInitialEvents != nil && from == 0) {
		if err := s.reach(q, opts.ResourceVersion); err != nil {
			return err
		}
		page, err := s.store.List(ctx, sel.Selection, store.ListOptions{Keep: sel.keep()})
		if err != nil {
			return q.res.storeError(err, "")
		}
		from = page.Revision
		if initial {
			items = page.Items
		}
	}
	watch, err := s.store.Watch(ctx, sel.Selection, from)
	if err != nil && !errors.Is(err, store.ErrCompacted) {
		return err
	}
	out.open()
	if err != nil {
		out.failure(apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", from, s.store.Revision())))
		return nil
	}
	defer watch.Stop()
	for _, item := range items {
		out.item(store.Added, item)
	}
	if opts.SendInitialEvents != nil && *opts.SendInitialEvents && opts.AllowWatchBookmarks {
		out.bookmark(from, map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	}
	if err := out.flush(); err != nil {
		return nil
	}
	s.pump(ctx, watch, out, from)
	return nil
}

func watchTime(seconds *int64) time.Duration {
	if seconds != nil && *seconds > 0 {
		return time.Duration(*seconds) * time.Second
	}
	return minWatch + rand.N(minWatch)
}

// pump hands events to the client until one of the two ends.
func (s *Server) pump(ctx context.Context, watch store.Watch, out *stream, from int64) {
	told := from
	tick := time.NewTicker(bookmarkEvery)
	defer tick.Stop()
	for {
		select {
		case events, ok := <-watch.Events():
			if !ok {
				return
			}
			for _, e := range events {
				if e.Type != store.Bookmark {
					out.event(e)
				}
				told = e.Revision
			}
			if out.bookmarks && events[len(events)-1].Type == store.Bookmark {
				out.bookmark(told, nil)
			}
		case <-tick.C:
			p, ok := watch.(interface{ Progress() })
			if !ok || !out.bookmarks {
				continue
			}
			p.Progress()
		case <-s.done:
			return
		case <-ctx.Done():
			return
		}
		if out.flush() != nil {
			return
		}
	}
}

// stream writes watch events in the form that the client asked for.
type stream struct {
	q         *request
	sel       *selector
	bookmarks bool
	buffer    bytes.Buffer
	headed    bool // a table's column definitions have been sent
	control   *http.ResponseController
}

var eventNames = map[store.EventType]string{store.Added: "ADDED", store.Modified: "MODIFIED", store.Deleted: "DELETED", store.Bookmark: "BOOKMARK"}

// open sends the headers, so that the client knows that the watch stands.
func (o *stream) open() {
	h := o.q.w.Header()
	media := o.q.out.media
	if media == mediaYAML || o.q.out.as == asTable || (media == mediaProtobuf && o.q.res.CustomResource && o.q.out.as == "") {
		media = mediaJSON
	}
	o.q.out.media = media
	if media == mediaProtobuf {
		h.Set("Content-Type", mediaProtobuf+";stream=watch")
	} else {
		h.Set("Content-Type", mediaJSON)
	}
	h.Set("Cache-Control", "no-cache, private")
	o.q.warn.write(h)
	o.q.w.WriteHeader(http.StatusOK)
	o.control = http.NewResponseController(o.q.w)
	_ = o.control.Flush()
}

// event sends a change as the selector sees it: what begins to match is added, what ceases to is deleted.
func (o *stream) event(e store.Event) {
	if !o.sel.partial() && o.sel.Field == "" {
		o.item(e.Type, e.Item)
		return
	}
	is, was := e.Type != store.Deleted && o.sel.selects(e.Item), o.sel.selects(e.Previous)
	switch {
	case is && was:
		o.item(store.Modified, e.Item)
	case is:
		o.item(store.Added, e.Item)
	case was && e.Type == store.Deleted:
		o.item(store.Deleted, e.Item)
	case was:
		last := e.Previous.Object.(api.Object).DeepCopyObject().(api.Object)
		last.SetResourceVersion(strconv.FormatInt(e.Revision, 10))
		o.item(store.Deleted, &store.Item{Key: e.Item.Key, Revision: e.Revision, Object: last})
	}
}

func (o *stream) bookmark(revision int64, annotations map[string]string) {
	obj := o.q.res.New()
	obj.SetResourceVersion(strconv.FormatInt(revision, 10))
	obj.SetAnnotations(annotations)
	o.item(store.Bookmark, &store.Item{Key: store.Key{Resource: o.q.res.storage}, Revision: revision, Object: obj})
}

func (o *stream) item(t store.EventType, item *store.Item) {
	var body []byte
	var err error
	switch {
	case o.q.out.as == asTable:
		body, err = o.q.table([]*store.Item{item}, metav1.ListMeta{}, !o.headed)
		o.headed = true
	case o.q.out.media == mediaProtobuf:
		var parts [][]byte
		if parts, err = o.q.protoItem(item); err == nil {
			o.write(eventNames[t], parts...)
			return
		}
	default:
		body, err = o.q.jsonItem(item)
	}
	if err != nil {
		o.failure(apierrors.NewInternalError(err))
		return
	}
	o.write(eventNames[t], body)
}

// failure sends an ERROR event; the watch ends after it.
func (o *stream) failure(err error) {
	status := statusOf(err)
	if o.q.out.media == mediaProtobuf {
		raw, _ := status.Marshal()
		o.write("ERROR", enveloped(status.GroupVersionKind(), raw)...)
	} else {
		body, _ := json.Marshal(runtime.Object(status))
		o.write("ERROR", body)
	}
	_ = o.flush()
}

// write sends an event; its object is the parts joined.
func (o *stream) write(name string, object ...[]byte) {
	if o.q.out.media == mediaProtobuf {
		o.writeFrame(name, object)
		return
	}
	o.buffer.WriteString(`{"type":"`)
	o.buffer.WriteString(name)
	o.buffer.WriteString(`","object":`)
	for _, part := range object {
		o.buffer.Write(part)
	}
	o.buffer.WriteString("}\n")
}

// writeFrame writes a frame of a protobuf stream: its length, then a metav1.WatchEvent, which is a type and a RawExtension with the
// object's envelope.
func (o *stream) writeFrame(name string, object [][]byte) {
	size := 0
	for _, part := range object {
		size += len(part)
	}
	o.buffer.Grow(size + len(name) + 32)
	b := o.buffer.AvailableBuffer()
	b = binary.BigEndian.AppendUint32(b, uint32(fieldSize(len(name))+fieldSize(fieldSize(size))))
	b = appendField(b, 1, []byte(name))
	b = appendHead(b, 2, fieldSize(size))
	o.buffer.Write(appendHead(b, 1, size))
	for _, part := range object {
		o.buffer.Write(part)
	}
}

func (o *stream) flush() error {
	if o.buffer.Len() == 0 {
		return nil
	}
	_, err := o.q.w.Write(o.buffer.Bytes())
	o.buffer.Reset()
	if o.buffer.Cap() > 1<<20 {
		o.buffer = bytes.Buffer{}
	}
	if err != nil {
		return err
	}
	return o.control.Flush()
}
