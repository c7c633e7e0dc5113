package apiserver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// get answers with one object, no older than the resourceVersion that the client has seen.
func (s *Server) get(q *request) error {
	var opts metav1.GetOptions
	if err := metav1.Convert_url_Values_To_v1_GetOptions(&q.query, &opts, nil); err != nil {
		return badRequest(err)
	}
	if err := s.reach(q, opts.ResourceVersion); err != nil {
		return err
	}
	item, err := s.store.Get(q.ctx, q.res.key(q.path.namespace, q.path.name))
	if err != nil {
		return q.res.storeError(err, q.path.name)
	}
	return s.respondItem(q, http.StatusOK, item)
}

// reachWait is how long a read waits for a revision of the future.
const reachWait = 3 * time.Second

// reach waits until the store is at least at the revision that a client names.
func (s *Server) reach(q *request, text string) error {
	revision, err := parseRevision(text)
	if err != nil || revision <= s.store.Revision() {
		return err
	}
	ctx, cancel := context.WithTimeout(q.ctx, reachWait)
	defer cancel()
	nothing := store.Selection{Resource: q.res.storage, Name: "\x00"}
	_, err = s.store.List(ctx, nothing, store.ListOptions{Revision: revision})
	if errors.Is(err, context.DeadlineExceeded) && q.ctx.Err() == nil {
		return tooLarge(revision, s.store.Revision())
	}
	return err
}

// parseRevision reads a resourceVersion; empty and "0" are 0.
func parseRevision(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	revision, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, invalidRevision(text, err)
	}
	return int64(revision), nil
}
