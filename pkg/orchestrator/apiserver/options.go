package apiserver

import (
	"strings"
	"unicode"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// writeOptions are the parameters that all writes share.
type writeOptions struct {
	dryRun  bool
	manager string // who manages the fields of this write
	force   bool   // of an apply
	patch   types.PatchType
}

// writeOptions reads and checks the parameters of a write; patch is empty on create and update.
func (q *request) writeOptions(patch types.PatchType) (writeOptions, error) {
	var errs field.ErrorList
	kind := "UpdateOptions"
	dryRun, validationMode, manager := q.query["dryRun"], q.query.Get("fieldValidation"), q.query.Get("fieldManager")
	w := writeOptions{dryRun: len(dryRun) > 0, manager: manager, patch: patch}
	switch {
	case patch != "":
		kind = "PatchOptions"
		opts := &metav1.PatchOptions{DryRun: dryRun, FieldManager: manager, FieldValidation: validationMode}
		if q.query.Has("force") {
			w.force = q.flag("force")
			opts.Force = &w.force
		}
		errs = validation.ValidatePatchOptions(opts, patch)
	case q.path.verb == "create":
		kind = "CreateOptions"
		errs = validation.ValidateCreateOptions(&metav1.CreateOptions{DryRun: dryRun, FieldManager: manager, FieldValidation: validationMode})
	default:
		errs = validation.ValidateUpdateOptions(&metav1.UpdateOptions{DryRun: dryRun, FieldManager: manager, FieldValidation: validationMode})
	}
	if len(errs) > 0 {
		return w, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
	}
	if w.manager == "" {
		w.manager = agentName(q.UserAgent())
	}
	return w, nil
}

// agentName is the manager of writers that name none: their User-Agent up to the first slash.
func agentName(agent string) string {
	name, _, _ := strings.Cut(agent, "/")
	var b strings.Builder
	for _, r := range name {
		if !unicode.IsPrint(r) {
			continue
		}
		if b.Len()+utf8.RuneLen(r) > validation.FieldManagerMaxLength {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
