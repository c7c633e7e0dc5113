package kustomize

// clusterScoped holds for the kinds that kustomize's OpenAPI (Kubernetes 1.21) knows to have no namespace. It is a switch on
// the kind first, since that rules out nearly all others.
func clusterScoped(g gvk) bool {
	versions := ""
	switch g.Kind {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		versions = "admissionregistration.k8s.io"
	case "CustomResourceDefinition":
		versions = "apiextensions.k8s.io"
	case "APIService":
		versions = "apiregistration.k8s.io"
	case "CertificateSigningRequest":
		versions = "certificates.k8s.io"
	case "FlowSchema", "PriorityLevelConfiguration":
		return g.Group == "flowcontrol.apiserver.k8s.io" && g.Version == "v1beta1"
	case "IngressClass":
		versions = "networking.k8s.io"
	case "RuntimeClass":
		versions = "node.k8s.io"
	case "PodSecurityPolicy":
		return g.Group == "policy" && g.Version == "v1beta1"
	case "ClusterRole", "ClusterRoleBinding":
		versions = "rbac.authorization.k8s.io"
	case "PriorityClass":
		versions = "scheduling.k8s.io"
	case "CSIDriver", "CSINode", "StorageClass", "VolumeAttachment":
		versions = "storage.k8s.io"
	case "ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume":
		return g.Group == "" && g.Version == "v1"
	default:
		return false
	}
	return g.Group == versions && (g.Version == "v1" || g.Version == "v1beta1")
}
