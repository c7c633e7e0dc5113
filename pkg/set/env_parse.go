package set

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// splitEnv parts arguments into what names objects and what changes variables.
func splitEnv(args []string) (names, specs []string, err error) {
	for _, a := range args {
		isEnv := strings.Index(a, "=") > 0 || strings.HasSuffix(a, "-")
		switch {
		case isEnv:
			specs = append(specs, a)
		case len(specs) > 0:
			return nil, nil, fmt.Errorf("all resources must be specified before environment changes: %s", strings.Join(args, " "))
		default:
			names = append(names, a)
		}
	}
	return names, specs, nil
}

// parseEnv reads KEY=VALUE, KEY- and -, which stands for lines of stdin.
func parseEnv(specs []string, stdin io.Reader) (set []corev1.EnvVar, remove []string, err error) {
	const what = "environment variable"
	for _, spec := range specs {
		key, value, isSet := strings.Cut(spec, "=")
		switch {
		case spec == "-":
			lines, err := readEnv(stdin)
			if err != nil {
				return nil, nil, err
			}
			set = append(set, lines...)
		case isSet:
			if errs := validation.IsEnvVarName(key); len(errs) > 0 {
				return nil, nil, fmt.Errorf("%q is not a valid key name: %s", key, strings.Join(errs, ";"))
			}
			set = append(set, corev1.EnvVar{Name: key, Value: value})
		case strings.HasSuffix(spec, "-"):
			remove = append(remove, strings.TrimSuffix(spec, "-"))
		default:
			return nil, nil, fmt.Errorf("unknown %s: %v", what, spec)
		}
	}
	for _, key := range remove {
		if slices.ContainsFunc(set, func(e corev1.EnvVar) bool { return e.Name == key }) {
			return nil, nil, fmt.Errorf("can not both modify and remove the same %s in the same command", what)
		}
	}
	return set, remove, nil
}

func readEnv(r io.Reader) ([]corev1.EnvVar, error) {
	if r == nil {
		return nil, errors.New("when '-' is used, STDIN must be open")
	}
	var out []corev1.EnvVar
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if key, value, ok := strings.Cut(line, "="); ok {
			out = append(out, corev1.EnvVar{Name: key, Value: value})
		}
	}
	return out, lines.Err()
}

// updateEnv replaces, removes and adds variables. A name that is set or removed stays once or not at all.
func updateEnv(have, set []corev1.EnvVar, remove []string) []corev1.EnvVar {
	var out []corev1.EnvVar
	done := map[string]bool{}
	for _, name := range remove {
		done[name] = true
	}
	for _, e := range have {
		if done[e.Name] {
			continue
		}
		if i := slices.IndexFunc(set, func(s corev1.EnvVar) bool { return s.Name == e.Name }); i >= 0 {
			done[e.Name], e = true, set[i]
		}
		out = append(out, e)
	}
	for _, e := range set {
		if !done[e.Name] {
			done[e.Name] = true
			out = append(out, e)
		}
	}
	return out
}
