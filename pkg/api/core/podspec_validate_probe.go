package core

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

type namedProbe struct {
	name  string
	probe *corev1.Probe
}

// hooks judges the lifecycle and the probes of a container that runs on.
func (in containerContext) hooks(c *corev1.Container, path *field.Path) (errs field.ErrorList) {
	grace := in.spec.TerminationGracePeriodSeconds
	if l := c.Lifecycle; l != nil {
		at := path.Child("lifecycle")
		if l.PostStart != nil {
			errs = append(errs, validateHandler(handler{l.PostStart.Exec, l.PostStart.HTTPGet, l.PostStart.TCPSocket, nil, l.PostStart.Sleep}, grace, at.Child("postStart"))...)
		}
		if l.PreStop != nil {
			errs = append(errs, validateHandler(handler{l.PreStop.Exec, l.PreStop.HTTPGet, l.PreStop.TCPSocket, nil, l.PreStop.Sleep}, grace, at.Child("preStop"))...)
		}
	}
	errs = append(errs, validateProbe(namedProbe{"livenessProbe", c.LivenessProbe}, grace, path)...)
	errs = append(errs, validateProbe(namedProbe{"readinessProbe", c.ReadinessProbe}, grace, path)...)
	return append(errs, validateProbe(namedProbe{"startupProbe", c.StartupProbe}, grace, path)...)
}

func validateProbe(n namedProbe, grace *int64, path *field.Path) field.ErrorList {
	p, at := n.probe, path.Child(n.name)
	if p == nil {
		return nil
	}
	errs := validateHandler(handler{p.Exec, p.HTTPGet, p.TCPSocket, p.GRPC, nil}, grace, at)
	for _, f := range []struct {
		name string
		n    int32
	}{
		{"initialDelaySeconds", p.InitialDelaySeconds}, {"timeoutSeconds", p.TimeoutSeconds}, {"periodSeconds", p.PeriodSeconds},
		{"successThreshold", p.SuccessThreshold}, {"failureThreshold", p.FailureThreshold},
	} {
		errs = append(errs, ValidateNonNegative(f.n, at.Child(f.name))...)
	}
	end := at.Child("terminationGracePeriodSeconds")
	if s := p.TerminationGracePeriodSeconds; s != nil && *s <= 0 {
		errs = append(errs, field.Invalid(end, *s, "must be greater than 0"))
	}
	switch {
	case n.name != "readinessProbe":
		if p.SuccessThreshold != 1 {
			errs = append(errs, field.Invalid(at.Child("successThreshold"), p.SuccessThreshold, "must be 1"))
		}
	case p.TerminationGracePeriodSeconds != nil:
		errs = append(errs, field.Invalid(end, *p.TerminationGracePeriodSeconds, "must not be set for readinessProbes"))
	}
	return errs
}

// handler is what a probe or a hook may do, exactly one of them.
type handler struct {
	exec  *corev1.ExecAction
	http  *corev1.HTTPGetAction
	tcp   *corev1.TCPSocketAction
	grpc  *corev1.GRPCAction
	sleep *corev1.SleepAction
}

func validateHandler(h handler, grace *int64, path *field.Path) (errs field.ErrorList) {
	found := 0
	judge := func(set bool, name string, rule func(*field.Path) field.ErrorList) {
		switch {
		case !set:
		case found > 0:
			errs = append(errs, field.Forbidden(path.Child(name), "may not specify more than 1 handler type"))
		default:
			found++
			errs = append(errs, rule(path.Child(name))...)
		}
	}
	judge(h.exec != nil, "exec", func(at *field.Path) field.ErrorList {
		if len(h.exec.Command) == 0 {
			return field.ErrorList{field.Required(at.Child("command"), "")}
		}
		return nil
	})
	judge(h.http != nil, "httpGet", func(at *field.Path) field.ErrorList { return validateHTTPGet(h.http, at) })
	judge(h.tcp != nil, "tcpSocket", func(at *field.Path) field.ErrorList { return validatePortOrName(h.tcp.Port, at.Child("port")) })
	judge(h.grpc != nil, "grpc", func(at *field.Path) field.ErrorList {
		return validatePortOrName(intstr.FromInt32(h.grpc.Port), at.Child("port"))
	})
	judge(h.sleep != nil, "sleep", func(at *field.Path) field.ErrorList {
		if grace == nil || h.sleep.Seconds >= 0 && h.sleep.Seconds <= *grace {
			return nil
		}
		return field.ErrorList{field.Invalid(at, h.sleep.Seconds, fmt.Sprintf("must be non-negative and less than terminationGracePeriodSeconds (%d)", *grace))}
	})
	if found == 0 {
		errs = append(errs, field.Required(path, "must specify a handler type"))
	}
	return errs
}

func validateHTTPGet(a *corev1.HTTPGetAction, path *field.Path) (errs field.ErrorList) {
	if a.Path == "" {
		errs = append(errs, field.Required(path.Child("path"), ""))
	}
	errs = append(errs, validatePortOrName(a.Port, path.Child("port"))...)
	errs = append(errs, oneOf(a.Scheme, path.Child("scheme"), corev1.URISchemeHTTP, corev1.URISchemeHTTPS)...)
	for _, h := range a.HTTPHeaders {
		errs = append(errs, invalid(path.Child("httpHeaders"), h.Name, validation.IsHTTPHeaderName(h.Name), "")...)
	}
	return errs
}
