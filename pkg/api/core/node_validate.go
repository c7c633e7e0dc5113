package core

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateNode(n, old *corev1.Node) field.ErrorList {
	errs := ValidateMeta(&n.ObjectMeta, false, apivalidation.NameIsDNSSubdomain)
	errs = append(errs, validateTaints(n.Spec.Taints)...)
	errs = append(errs, validateNodeResources(n)...)
	path := field.NewPath("spec", "podCIDRs")
	for i, cidr := range n.Spec.PodCIDRs {
		errs = append(errs, validation.IsValidCIDR(path.Index(i), cidr)...)
	}
	if cidrs := n.Spec.PodCIDRs; len(cidrs) > 1 {
		dual, err := dualStack(cidrs)
		if err != nil {
			errs = append(errs, field.InternalError(path, fmt.Errorf("invalid PodCIDRs. failed to check with dual stack with error:%w", err)))
		}
		if !dual || len(cidrs) > 2 {
			errs = append(errs, field.Invalid(path, cidrs, "may specify no more than one CIDR for each IP family"))
		}
	}
	if old != nil {
		errs = append(errs, validateNodeUpdate(n, old)...)
	}
	return errs
}

// dualStack says whether ranges of both families are among them.
func dualStack(cidrs []string) (bool, error) {
	var four, six bool
	for i, c := range cidrs {
		p, err := netip.ParsePrefix(c)
		if err != nil {
			return false, fmt.Errorf("invalid CIDR[%d]: <nil> (invalid CIDR address: %s)", i, c)
		}
		four, six = four || p.Addr().Is4(), six || p.Addr().Is6()
	}
	return four && six, nil
}

// validateNodeUpdate judges what an update, of the node or of its status, may not change.
func validateNodeUpdate(n, old *corev1.Node) field.ErrorList {
	errs := ValidateMetaUpdate(&n.ObjectMeta, &old.ObjectMeta)
	errs = append(errs, validateNodeResources(n)...)
	seen := map[corev1.NodeAddress]bool{}
	for i, a := range n.Status.Addresses {
		if seen[a] {
			errs = append(errs, field.Duplicate(field.NewPath("status", "addresses").Index(i), Internal{a}))
		}
		seen[a] = true
	}
	spec := field.NewPath("spec")
	if len(old.Spec.PodCIDRs) > 0 && !slices.Equal(n.Spec.PodCIDRs, old.Spec.PodCIDRs) {
		errs = append(errs, field.Forbidden(spec.Child("podCIDRs"), `node updates may not change podCIDR except from "" to valid`))
	}
	if was, is := old.Spec.ProviderID, n.Spec.ProviderID; was != "" && was != is {
		msg := "field cannot be modified once set"
		if is == "" {
			msg = "field cannot be cleared once set"
		}
		errs = append(errs, field.Invalid(spec.Child("providerID"), nil, msg))
	}
	errs = append(errs, validateTaints(n.Spec.Taints)...)
	if n.Spec.DoNotUseExternalID != old.Spec.DoNotUseExternalID {
		errs = append(errs, field.Forbidden(spec.Child("externalID"), "may not be updated"))
	}
	return errs
}

// validateTaints looks for them below metadata in its errors, as upstream does.
func validateTaints(taints []corev1.Taint) (errs field.ErrorList) {
	type id struct {
		key    string
		effect corev1.TaintEffect
	}
	seen := map[id]bool{}
	for i, t := range taints {
		path := field.NewPath("metadata", "taints").Index(i)
		errs = append(errs, metavalidation.ValidateLabelName(t.Key, path.Child("key"))...)
		if msgs := validation.IsValidLabelValue(t.Value); len(msgs) > 0 {
			errs = append(errs, field.Invalid(path.Child("value"), t.Value, strings.Join(msgs, ";")))
		}
		errs = append(errs, validateTaintEffect(t.Effect, false, path.Child("effect"))...)
		if key := (id{t.Key, t.Effect}); seen[key] {
			twice := field.Duplicate(path, Internal{t})
			twice.Detail = "taints must be unique by key and effect pair"
			errs = append(errs, twice)
		} else {
			seen[key] = true
		}
	}
	return errs
}

func validateNodeResources(n *corev1.Node) (errs field.ErrorList) {
	for _, part := range []struct {
		name string
		list corev1.ResourceList
	}{{"capacity", n.Status.Capacity}, {"allocatable", n.Status.Allocatable}} {
		for _, name := range slices.Sorted(maps.Keys(part.list)) {
			errs = append(errs, validateQuantity(name, part.list[name], field.NewPath("status", part.name, string(name)))...)
		}
	}
	return errs
}
