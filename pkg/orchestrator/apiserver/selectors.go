package apiserver

import (
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// selector is what a list or a watch is about: what the store can select by itself, and the rest.
type selector struct {
	store.Selection
	res    *resource
	labels labels.Selector
	fields []fields.Requirement
}

// selector reads the selectors of a request.
func (q *request) selector(opts *metav1.ListOptions) (*selector, error) {
	s := &selector{res: q.res, Selection: store.Selection{Resource: q.res.storage, Namespace: q.path.namespace}}
	parsed, err := labels.Parse(opts.LabelSelector)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("unable to parse requirement: %v", trimParse(err)))
	}
	if !parsed.Empty() {
		s.labels = parsed
	}
	selected, err := fields.ParseSelector(opts.FieldSelector)
	if err != nil {
		return nil, badRequest(err)
	}
	for _, r := range selected.Requirements() {
		if err := s.addField(r); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func trimParse(err error) string {
	return strings.TrimPrefix(err.Error(), "unable to parse requirement: ")
}

// addField gives a requirement to the store where that can use it, and keeps it otherwise.
func (s *selector) addField(r fields.Requirement) error {
	equal := r.Operator == "=" || r.Operator == "=="
	switch {
	case r.Field == "metadata.name" && equal && s.Name == "" && r.Value != "":
		s.Name = r.Value
		return nil
	case r.Field == "metadata.name":
	case r.Field == "metadata.namespace":
		if equal && s.Namespace == "" && s.res.Namespaced && r.Value != "" {
			s.Namespace = r.Value
			return nil
		}
	case s.res.Fields[r.Field] == nil:
		if len(s.res.Fields) == 0 {
			return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", r.Field, "metadata.name", "metadata.namespace"))
		}
		return apierrors.NewBadRequest("field label not supported: " + r.Field)
	default:
		for _, name := range indexed {
			if name == r.Field && equal && s.Field == "" {
				s.Field, s.Value = r.Field, r.Value
				return nil
			}
		}
	}
	s.fields = append(s.fields, r)
	return nil
}

// partial says that the store's own selection is not the whole of it.
func (s *selector) partial() bool { return s.labels != nil || len(s.fields) > 0 }

// keep is the filter for what the store cannot select; nil keeps all.
func (s *selector) keep() func(*store.Item) bool {
	if !s.partial() {
		return nil
	}
	return s.matches
}

// matches judges an item by everything that the store has not selected by.
func (s *selector) matches(item *store.Item) bool {
	obj := item.Object.(api.Object)
	if s.labels != nil && !s.labels.Matches(labels.Set(obj.GetLabels())) {
		return false
	}
	for _, r := range s.fields {
		var got string
		switch r.Field {
		case "metadata.name":
			got = obj.GetName()
		case "metadata.namespace":
			got = obj.GetNamespace()
		default:
			got = s.res.Fields[r.Field](obj)
		}
		if (got == r.Value) != (r.Operator != "!=") {
			return false
		}
	}
	return true
}

// selects judges an item by the whole selector.
func (s *selector) selects(item *store.Item) bool {
	if item == nil || (s.Namespace != "" && item.Key.Namespace != s.Namespace) || (s.Name != "" && item.Key.Name != s.Name) {
		return false
	}
	if s.Field != "" && s.res.Fields[s.Field](item.Object.(api.Object)) != s.Value {
		return false
	}
	return s.matches(item)
}
