package apiserver

import (
	"errors"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	authenticationv1 "k8s.io/api/authentication/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// impersonate makes the request another user's, if its headers ask for that and its user may.
func (s *Server) impersonate(q *request) error {
	h := q.Header
	name, uid, groups := h.Get(authenticationv1.ImpersonateUserHeader), h.Get(authenticationv1.ImpersonateUIDHeader), h.Values(authenticationv1.ImpersonateGroupHeader)
	extra := map[string][]string{}
	for key, values := range h {
		if rest, ok := strings.CutPrefix(key, authenticationv1.ImpersonateUserExtraHeaderPrefix); ok {
			if decoded, err := url.PathUnescape(rest); err == nil {
				rest = decoded
			}
			extra[strings.ToLower(rest)] = values
		}
	}
	if name == "" {
		if len(groups) > 0 || len(extra) > 0 || uid != "" {
			return apierrors.NewInternalError(errors.New("requested " + what(groups, extra, uid) + " without impersonating a user"))
		}
		return nil
	}
	asks := []auth.Attributes{{Resource: "users", Name: name}}
	if rest, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
		namespace, account, _ := strings.Cut(rest, ":")
		asks[0] = auth.Attributes{Resource: "serviceaccounts", Namespace: namespace, Name: account}
		if len(groups) == 0 {
			groups = []string{auth.GroupServiceAccounts, auth.GroupServiceAccounts + ":" + namespace}
		}
	}
	for _, g := range h.Values(authenticationv1.ImpersonateGroupHeader) {
		asks = append(asks, auth.Attributes{Resource: "groups", Name: g})
	}
	for key, values := range extra {
		for _, v := range values {
			asks = append(asks, auth.Attributes{Group: authenticationv1.GroupName, Version: "v1", Resource: "userextras", Subresource: key, Name: v})
		}
	}
	if uid != "" {
		asks = append(asks, auth.Attributes{Group: authenticationv1.GroupName, Version: "v1", Resource: "uids", Name: uid})
	}
	for _, a := range asks {
		a.User, a.Verb, a.ResourceRequest = q.user, "impersonate", true
		if err := s.authorize(q, a); err != nil {
			return err
		}
	}
	user := &auth.User{Name: name, UID: uid, Groups: groups}
	if name != "system:anonymous" && !user.In(auth.GroupAuthenticated) {
		user.Groups = append(append([]string(nil), groups...), auth.GroupAuthenticated)
	}
	if len(extra) > 0 {
		user.Extra = extra
	}
	q.user = user
	return nil
}

func what(groups []string, extra map[string][]string, uid string) string {
	switch {
	case len(groups) > 0:
		return "[{Group  " + groups[0] + " }]"
	case uid != "":
		return "uid " + uid
	}
	for key := range extra {
		return "extra " + key
	}
	return ""
}
