package resource

import (
	"fmt"
	"io"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ParseCascade reads --cascade.
func ParseCascade(value string, warn io.Writer) (metav1.DeletionPropagation, error) {
	if b, err := strconv.ParseBool(value); err == nil {
		name, policy := "background", metav1.DeletePropagationBackground
		if !b {
			name, policy = "orphan", metav1.DeletePropagationOrphan
		}
		fmt.Fprintf(warn, "warning: --cascade=%v is deprecated (boolean value) and can be replaced with --cascade=%s.\n", value, name)
		return policy, nil
	}
	switch value {
	case "orphan":
		return metav1.DeletePropagationOrphan, nil
	case "foreground":
		return metav1.DeletePropagationForeground, nil
	case "background":
		return metav1.DeletePropagationBackground, nil
	}
	return "", fmt.Errorf(`invalid cascade value (%v). Must be "background", "foreground", or "orphan"`, value)
}
