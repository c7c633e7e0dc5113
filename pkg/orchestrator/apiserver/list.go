package apiserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// list answers with the selected objects of one revision, in pages if the client asks for them.
func (s *Server) list(q *request) error {
	opts, err := q.listOptions()
	if err != nil {
		return err
	}
	sel, err := q.selector(opts)
	if err != nil {
		return err
	}
	page, err := s.page(q, sel, opts)
	if err != nil {
		return err
	}
	meta := metav1.ListMeta{ResourceVersion: strconv.FormatInt(page.Revision, 10)}
	if page.More {
		meta.Continue = encodeContinue(page.Items[len(page.Items)-1].Key, page.Revision)
		if page.Remaining > 0 && !sel.partial() {
			meta.RemainingItemCount = &page.Remaining
		}
	}
	return s.respondList(q, page.Items, meta)
}

// listOptions reads and checks the parameters of a list or a watch.
func (q *request) listOptions() (*metav1.ListOptions, error) {
	opts := &metav1.ListOptions{}
	if err := metav1.Convert_url_Values_To_v1_ListOptions(&q.query, opts, nil); err != nil {
		return nil, badRequest(err)
	}
	opts.Watch = q.path.verb == "watch"
	internal := &internalversion.ListOptions{
		Watch: opts.Watch, AllowWatchBookmarks: opts.AllowWatchBookmarks, ResourceVersion: opts.ResourceVersion,
		ResourceVersionMatch: opts.ResourceVersionMatch, Limit: opts.Limit, Continue: opts.Continue, SendInitialEvents: opts.SendInitialEvents,
	}
	if errs := validation.ValidateListOptions(internal, true); len(errs) > 0 {
		return nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", errs)
	}
	return opts, nil
}

// page reads one page of a list at the revision that the options name.
func (s *Server) page(q *request, sel *selector, opts *metav1.ListOptions) (store.Page, error) {
	lo := store.ListOptions{Limit: int(opts.Limit), Keep: sel.keep()}
	switch {
	case opts.Continue != "":
		if opts.ResourceVersion != "" && opts.ResourceVersion != "0" {
			return store.Page{}, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		after, revision, err := decodeContinue(opts.Continue, sel.Resource)
		if err != nil {
			return store.Page{}, apierrors.NewBadRequest(fmt.Sprintf("invalid continue token: %v", err))
		}
		lo.After, lo.Revision = after, max(revision, 0)
	case opts.ResourceVersion != "" && opts.ResourceVersion != "0":
		if err := s.reach(q, opts.ResourceVersion); err != nil {
			return store.Page{}, err
		}
		exact := opts.ResourceVersionMatch == metav1.ResourceVersionMatchExact
		if exact || (opts.ResourceVersionMatch == "" && opts.Limit > 0) {
			lo.Revision, _ = parseRevision(opts.ResourceVersion)
		}
	}
	page, err := s.store.List(q.ctx, sel.Selection, lo)
	switch {
	case errors.Is(err, store.ErrCompacted) && opts.Continue != "":
		return page, continueExpired(lo.After)
	case errors.Is(err, context.DeadlineExceeded):
		return page, tooLarge(lo.Revision, s.store.Revision())
	}
	return page, q.res.storeError(err, "")
}

// continueToken is the form of the real server's tokens.
type continueToken struct {
	Version  string `json:"v"`
	Revision int64  `json:"rv"`
	Start    string `json:"start"`
}

const continueVersion = "meta.k8s.io/v1"

func encodeContinue(last store.Key, revision int64) string {
	start := last.Name + "\x00"
	if last.Namespace != "" {
		start = last.Namespace + "/" + start
	}
	data, _ := json.Marshal(continueToken{Version: continueVersion, Revision: revision, Start: start})
	return base64.RawURLEncoding.EncodeToString(data)
}

func decodeContinue(token, resource string) (after store.Key, revision int64, err error) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return after, 0, fmt.Errorf("continue key is not valid: %w", err)
	}
	var t continueToken
	if err := json.Unmarshal(data, &t); err != nil {
		return after, 0, fmt.Errorf("continue key is not valid: %w", err)
	}
	if t.Version != continueVersion {
		return after, 0, fmt.Errorf("continue key is not valid: server does not recognize this encoded version %s", t.Version)
	}
	if t.Revision == 0 || t.Start == "" {
		return after, 0, errors.New("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
	}
	start := strings.TrimSuffix(t.Start, "\x00")
	namespace, name, namespaced := strings.Cut(start, "/")
	if !namespaced {
		namespace, name = "", start
	}
	return store.Key{Resource: resource, Namespace: namespace, Name: name}, t.Revision, nil
}

// continueExpired is a 410 with a token that goes on at the latest revision.
func continueExpired(after store.Key) error {
	err := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. " +
		"You can start a new list without the continue parameter, or use the continue token in this response to retrieve the " +
		"remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were " +
		"created, modified, or deleted between the time the first chunk was returned and now may show up in the list.")
	err.ErrStatus.ListMeta.Continue = encodeContinue(after, -1)
	return err
}

func tooLarge(want, current int64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", want, current), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version",
	}}
	return err
}

func invalidRevision(text string, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "",
		field.ErrorList{field.Invalid(field.NewPath("resourceVersion"), text, err.Error())})
}

func badRequest(err error) error { return apierrors.NewBadRequest(err.Error()) }
