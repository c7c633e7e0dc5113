package edit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/mergepatch"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/editor"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// session is one edit: round after round until the server takes it or the user gives up.
type session struct {
	*Options
	client  *resource.Client
	objects []*resource.Object
	reasons []reason
	failed  bool // the last round was refused
	edited  []byte
	file    string
}

// reason is why a round was refused.
type reason struct {
	head  string
	other []string
}

const header = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`

func (s *session) run(ctx context.Context) error {
	original, err := s.text()
	if err != nil {
		return err
	}
	for {
		done, err := s.round(ctx, original)
		if done || err != nil {
			return err
		}
	}
}

// text is the objects as the user sees them: without managed fields.
func (s *session) text() ([]byte, error) {
	format := s.Print.Output
	if format == "" || format == "name" {
		format = "yaml"
	}
	printer, err := (&printers.Options{Output: format, ShowManagedFields: s.Print.ShowManagedFields}).Printer("")
	if err != nil {
		return nil, err
	}
	var obj runtime.Object = s.objects[0].Unstructured
	if len(s.objects) > 1 {
		list := &unstructured.UnstructuredList{Object: map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{}}}
		for _, o := range s.objects {
			list.Items = append(list.Items, *o.Unstructured)
		}
		obj = list
	}
	var b bytes.Buffer
	err = printer.Print(obj, &b)
	return b.Bytes(), err
}

func (s *session) round(ctx context.Context, original []byte) (done bool, err error) {
	content := original
	if s.failed {
		content = editor.StripComments(s.edited)
	}
	path, err := editor.Write(s.editor(), append(s.header(), content...))
	if err != nil {
		return true, s.kept(err)
	}
	edited, err := editor.Launch(ctx, s.editor(), path)
	if err != nil {
		return true, s.kept(err)
	}
	stripped := editor.StripComments(edited)
	if s.failed && bytes.Equal(editor.StripComments(s.edited), stripped) {
		s.file, path = path, s.file
		os.Remove(path)
		return true, s.kept(fmt.Errorf("Edit cancelled, no valid changes were saved."))
	}
	if s.file != "" {
		os.Remove(s.file)
	}
	s.file, s.edited = path, edited
	switch {
	case bytes.Equal(editor.StripComments(original), stripped):
		fmt.Fprintln(s.IO.ErrOut, "Edit cancelled, no changes made.")
		return true, os.Remove(path)
	case len(bytes.TrimSpace(stripped)) == 0:
		fmt.Fprintln(s.IO.ErrOut, "Edit cancelled, saved file was empty.")
		return true, os.Remove(path)
	}
	s.reasons, s.failed = nil, false
	changed, err := s.client.Parse(ctx, resource.Query{Namespace: s.client.Namespace}, stripped, "edited-file")
	if err != nil {
		s.failed = true
		s.reasons = []reason{{head: fmt.Sprintf("The edited file had a syntax error: %v", err)}}
		return false, nil
	}
	return s.send(ctx, changed)
}

// kept tells where the user's work is when an edit ends badly.
func (s *session) kept(err error) error {
	if s.file != "" {
		fmt.Fprintf(s.IO.ErrOut, "A copy of your changes has been stored to %q\n", s.file)
	}
	return err
}

func (s *session) header() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	comment := func(text string) string { return strings.ReplaceAll(text, "\n", "\n# ") }
	for _, r := range s.reasons {
		colon := ""
		if len(r.other) > 0 {
			colon = ":"
		}
		fmt.Fprintf(&b, "# %s%s\n", comment(r.head), colon)
		for _, o := range r.other {
			fmt.Fprintf(&b, "# * %s\n", comment(o))
		}
		b.WriteString("#\n")
	}
	return b.Bytes()
}

// send patches what was changed.
func (s *session) send(ctx context.Context, changed []*resource.Object) (done bool, err error) {
	again, missing, refused := 0, 0, 0
	for _, obj := range changed {
		before := s.originalOf(obj)
		if before == nil {
			return true, s.kept(fmt.Errorf("no original object found for %s", obj.KindName()))
		}
		err := s.patch(ctx, before.Copy(), obj)
		gr := obj.Mapping.GroupResource().String()
		switch {
		case err == nil:
		case mergepatch.IsPreconditionFailed(err):
			return true, s.kept(fmt.Errorf("At least one of apiVersion, kind and name was changed"))
		case apierrors.IsInvalid(err):
			refused++
			s.reasons = append(s.reasons, reason{head: fmt.Sprintf("%s %q was not valid", gr, obj.Name), other: causes(err)})
			fmt.Fprintf(s.IO.ErrOut, "error: %s %q is invalid\n", gr, obj.Name)
		case apierrors.IsNotFound(err):
			missing++
			fmt.Fprintf(s.IO.ErrOut, "error: %s %q could not be found on the server\n", gr, obj.Name)
		default:
			again++
			fmt.Fprintf(s.IO.ErrOut, "error: %s %q could not be patched: %v\n", gr, obj.Name, err)
		}
	}
	switch {
	case again > 0:
		fmt.Fprintf(s.IO.ErrOut, "You can run `%s replace -f %s` to try this update again.\n", s.Name, s.file)
		return true, cli.ErrExit
	case missing > 0:
		fmt.Fprintf(s.IO.ErrOut, "The edits you made on deleted resources have been saved to %q\n", s.file)
		return true, cli.ErrExit
	case refused > 0:
		s.failed = true
		return false, nil
	}
	return true, os.Remove(s.file)
}

func causes(err error) []string {
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Details == nil {
		return nil
	}
	var out []string
	for _, c := range status.Status().Details.Causes {
		out = append(out, c.Field+": "+c.Message)
	}
	return out
}

func (s *session) originalOf(obj *resource.Object) *resource.Object {
	for _, o := range s.objects {
		if o.GetUID() == obj.GetUID() {
			return o
		}
	}
	return nil
}

func (s *session) patch(ctx context.Context, before, after *resource.Object) error {
	if !s.Print.ShowManagedFields {
		before.SetManagedFields(nil)
	}
	if s.SaveConfig {
		if err := resource.Annotate(after.Unstructured); err != nil {
			return err
		}
	}
	old, err := json.Marshal(before.Unstructured)
	if err != nil {
		return err
	}
	now, err := json.Marshal(after.Unstructured)
	if err != nil {
		return err
	}
	if bytes.Equal(old, now) {
		return s.say(after, "skipped")
	}
	patch, typ, err := resource.TwoWay(after.Mapping.GVK, old, now)
	if err != nil {
		return err
	}
	if s.OutputPatch {
		fmt.Fprintf(s.IO.Out, "Patch: %s\n", patch)
	}
	opts := resource.WriteOptions{FieldManager: s.FieldManager, FieldValidation: s.validation, Subresource: s.Subresource}
	if err := s.client.Patch(ctx, after, typ, patch, opts); err != nil {
		return err
	}
	return s.say(after, "edited")
}

func (s *session) say(obj *resource.Object, operation string) error {
	printer, err := (&printers.Options{}).Printer(operation)
	if err != nil {
		return err
	}
	return printer.Print(obj.Unstructured, s.IO.Out)
}
