package apiserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// take reads n events, as TYPE name@revision.
func take(t *testing.T, w watch.Interface, n int) []string {
	t.Helper()
	var out []string
	for range n {
		e, ok := <-w.ResultChan()
		if !ok {
			t.Fatalf("the watch ended after %v", out)
		}
		switch o := e.Object.(type) {
		case metav1.Object:
			out = append(out, fmt.Sprintf("%s %s@%s", e.Type, o.GetName(), o.GetResourceVersion()))
		case *metav1.Status:
			out = append(out, fmt.Sprintf("%s %d %s", e.Type, o.Code, o.Message))
		}
	}
	return out
}

func TestWatchFromEachRevision(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := c.Context(), c.Client().CoreV1().ConfigMaps("default")
		start := c.Store.Revision()
		var all []string
		note := func(kind string, name, revision string) {
			all = append(all, fmt.Sprintf("%s %s@%s", kind, name, revision))
		}
		for i := range 5 {
			name := "m" + strconv.Itoa(i)
			made, err := maps.Create(ctx, configMap(name), metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			note("ADDED", name, made.ResourceVersion)
			changed, err := maps.Patch(ctx, name, types.MergePatchType, []byte(`{"data":{"a":"b"}}`), metav1.PatchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			note("MODIFIED", name, changed.ResourceVersion)
		}
		if err := maps.Delete(ctx, "m0", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		note("DELETED", "m0", strconv.FormatInt(c.Store.Revision(), 10))
		for i := range all {
			from := start + int64(i)
			w, err := maps.Watch(ctx, metav1.ListOptions{ResourceVersion: strconv.FormatInt(from, 10)})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(take(t, w, len(all)-i)), fmt.Sprint(all[i:]); got != want {
				t.Errorf("from %d:\n got %s\nwant %s", from, got, want)
			}
			w.Stop()
		}
	})
}

func TestWatchSelects(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, maps := c.Context(), c.Client().CoreV1().ConfigMaps("default")
		w, err := maps.Watch(ctx, metav1.ListOptions{LabelSelector: "on=yes", ResourceVersion: strconv.FormatInt(c.Store.Revision(), 10)})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		label := func(value string) {
			if _, err := maps.Patch(ctx, "a", types.MergePatchType, []byte(`{"metadata":{"labels":{"on":`+value+`}}}`), metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		c.Create(configMap("a"), configMap("b"))
		label(`"yes"`)
		label(`"no"`)
		label(`"yes"`)
		if err := maps.Delete(ctx, "a", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range take(t, w, 4) {
			types = append(types, strings.Split(e, "@")[0])
		}
		if got, want := fmt.Sprint(types), "[ADDED a DELETED a ADDED a DELETED a]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestWatchList(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		yes, revision := true, strconv.FormatInt(c.Store.Revision(), 10)
		w, err := c.Client().CoreV1().ConfigMaps("default").Watch(c.Context(), metav1.ListOptions{
			SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop()
		for range 2 {
			if e := <-w.ResultChan(); e.Type != watch.Added {
				t.Errorf("got %s, want an initial ADDED", e.Type)
			}
		}
		mark := <-w.ResultChan()
		cm, ok := mark.Object.(*corev1.ConfigMap)
		if mark.Type != watch.Bookmark || !ok || cm.Annotations[metav1.InitialEventsAnnotationKey] != "true" || cm.ResourceVersion != revision {
			t.Errorf("got %s %v, want the mark of the end of the initial events at %s", mark.Type, mark.Object, revision)
		}
		c.Create(configMap("c"))
		if e := <-w.ResultChan(); e.Type != watch.Added || e.Object.(*corev1.ConfigMap).Name != "c" {
			t.Errorf("got %v, want c", e)
		}
	}, configMap("a"), configMap("b"))
}

func TestWatchTooOld(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		c.Create(configMap("a"), configMap("b"))
		if err := c.Store.Compact(c.Context(), c.Store.Revision()); err != nil {
			t.Fatal(err)
		}
		w, err := c.Client().CoreV1().ConfigMaps("default").Watch(c.Context(), metav1.ListOptions{ResourceVersion: "2"})
		if err != nil {
			t.Fatal(err)
		}
		got := take(t, w, 1)[0]
		if want := "ERROR 410 too old resource version: 2 ("; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q…", got, want)
		}
		if _, more := <-w.ResultChan(); more {
			t.Error("the watch goes on after its error")
		}
	})
}

func TestWatchEndsInTime(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		seconds, start := int64(90), time.Now()
		w, err := c.Client().CoreV1().ConfigMaps("default").Watch(context.Background(), metav1.ListOptions{TimeoutSeconds: &seconds, AllowWatchBookmarks: true})
		if err != nil {
			t.Fatal(err)
		}
		bookmarks := 0
		for e := range w.ResultChan() {
			if e.Type == watch.Bookmark {
				bookmarks++
			}
		}
		if took := time.Since(start); took.Round(time.Second) != 90*time.Second {
			t.Errorf("ended after %s", took)
		}
		if bookmarks == 0 {
			t.Error("no bookmark in a minute and a half")
		}
	})
}

func TestWatchOfTables(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		resp := newRaw(t, c).open(http.MethodGet, "/api/v1/namespaces/default/configmaps?watch=1", "", "Accept", "application/json;as=Table;g=meta.k8s.io;v=v1")
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		c.Create(configMap("b"))
		for i, want := range []string{"a", "b"} {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var e struct {
				Type   string
				Object metav1.Table
			}
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			if e.Type != "ADDED" || len(e.Object.Rows) != 1 || e.Object.Rows[0].Cells[0] != want {
				t.Errorf("got %s %v, want a row of %s", e.Type, e.Object.Rows, want)
			}
			if headers := len(e.Object.ColumnDefinitions) > 0; headers != (i == 0) {
				t.Errorf("event %d has headers: %v", i, headers)
			}
		}
	}, configMap("a"))
}
