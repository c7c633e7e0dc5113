package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/tools/clientcmd"
)

// Interrupted is ErrExit, the way kubectl ends a watch or a wait that the user broke off, if ctx was cancelled; else err.
func Interrupted(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ErrExit
	}
	return err
}

// UsageErrorf is a mistake in arguments or flags; the text ends by naming the command's help.
func UsageErrorf(cmd *cobra.Command, format string, args ...any) error {
	return fmt.Errorf("%s\nSee '%s -h' for help and examples", fmt.Sprintf(format, args...), cmd.CommandPath())
}

// Explain gives the text for stderr (ending in a newline, or empty) and the exit code of an error.
func Explain(err error) (text string, code int) {
	if err == nil {
		return "", 0
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		if exit.Err == nil {
			return "", exit.Code
		}
		text, _ = Explain(exit.Err)
		return text, exit.Code
	}
	for {
		agg, ok := err.(utilerrors.Aggregate)
		if !ok || len(agg.Errors()) != 1 {
			break
		}
		err = agg.Errors()[0]
	}
	text = explain(err)
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text, 1
}

func explain(err error) string {
	if s, ok := err.(*apierrors.StatusError); ok && s.ErrStatus.Reason == metav1.StatusReasonInvalid {
		return explainInvalid(s.Status())
	}
	if clientcmd.IsConfigurationInvalid(err) {
		return multiline("Error in configuration: ", err)
	}
	switch e := err.(type) {
	case *meta.NoResourceMatchError:
		return explainNoResource(e)
	case utilerrors.Aggregate:
		var b strings.Builder
		for _, one := range e.Errors() {
			b.WriteString(Message(one) + "\n")
		}
		return b.String()
	}
	if msg, ok := standardMessage(err); ok {
		return msg
	}
	if msg := err.Error(); strings.HasPrefix(msg, "error: ") {
		return msg
	}
	return "error: " + err.Error()
}

func explainInvalid(status metav1.Status) string {
	text, d := "The request is invalid", status.Details
	if d == nil {
		if status.Message != "" {
			text += ": " + status.Message
		}
		return text
	}
	if d.Kind != "" || d.Name != "" {
		text = fmt.Sprintf("The %s %q is invalid", d.Kind, d.Name)
	} else if status.Message != "" && len(d.Causes) == 0 {
		text += ": " + status.Message
	}
	if len(d.Causes) == 0 {
		return text
	}
	var errs []error
	seen := map[string]bool{}
	for _, c := range d.Causes {
		if msg := c.Field + ": " + c.Message; !seen[msg] {
			seen[msg] = true
			errs = append(errs, errors.New(msg))
		}
	}
	return multiline(text+": ", utilerrors.NewAggregate(errs))
}

func explainNoResource(e *meta.NoResourceMatchError) string {
	r := e.PartialResource
	text := fmt.Sprintf("the server doesn't have a resource type %q", r.Resource)
	switch {
	case r.Group != "" && r.Version != "":
		text += fmt.Sprintf(" in group %q and version %q", r.Group, r.Version)
	case r.Group != "":
		text += fmt.Sprintf(" in group %q", r.Group)
	case r.Version != "":
		text += fmt.Sprintf(" in version %q", r.Version)
	}
	return text
}

// Message is the text of one error among several, without "error: " before it.
func Message(err error) string {
	if msg, ok := standardMessage(err); ok {
		return msg
	}
	return err.Error()
}

// standardMessage words the errors of servers and connections.
func standardMessage(err error) (string, bool) {
	if s, ok := err.(apierrors.APIStatus); ok {
		switch status := s.Status(); {
		case status.Reason == metav1.StatusReasonUnauthorized:
			return fmt.Sprintf("error: You must be logged in to the server (%s)", status.Message), true
		case status.Reason != "":
			return fmt.Sprintf("Error from server (%s): %s", status.Reason, err.Error()), true
		default:
			return "Error from server: " + err.Error(), true
		}
	}
	if apierrors.IsUnexpectedObjectError(err) {
		return "Server returned an unexpected response: " + err.Error(), true
	}
	u, ok := err.(*url.Error)
	if !ok {
		return "", false
	}
	if strings.Contains(u.Err.Error(), "connection refused") {
		host := u.URL
		if server, err := url.Parse(u.URL); err == nil {
			host = server.Host
		}
		return fmt.Sprintf("The connection to the server %s was refused - did you specify the right host or port?", host), true
	}
	return fmt.Sprintf("Unable to connect to the server: %v", u.Err), true
}

// multiline writes an aggregate one error a line.
func multiline(prefix string, err error) string {
	agg, ok := err.(utilerrors.Aggregate)
	if !ok {
		return fmt.Sprintf("%s%s\n", prefix, err)
	}
	errs := utilerrors.Flatten(agg).Errors()
	switch len(errs) {
	case 0:
		return fmt.Sprintf("%s%v\n", prefix, err)
	case 1:
		return prefix + Message(errs[0]) + "\n"
	}
	var b strings.Builder
	b.WriteString(prefix + "\n")
	for _, e := range errs {
		b.WriteString("* " + Message(e) + "\n")
	}
	return b.String()
}
