package kustomize

import "fmt"

// iamPolicyGenerator is the plugin of that name: a service account that is tied to one of a cloud.
type iamPolicyGenerator struct{ iamPolicyArgs }

type iamPolicyArgs struct {
	Cloud             string         `json:"cloud"`
	KubernetesService pluginMetadata `json:"kubernetesService"`
	ServiceAccount    struct {
		Name      string `json:"name"`
		ProjectID string `json:"projectId"`
	} `json:"serviceAccount"`
}

func (p *iamPolicyGenerator) prepare(*target) error { return nil }

func (p *iamPolicyGenerator) generate() ([]*Object, error) {
	if p.Cloud != "gke" {
		return nil, fmt.Errorf("cloud provider %s not supported yet: the one that is is gke", p.Cloud)
	}
	root := newMap()
	root.add("apiVersion", newAuto("v1"))
	root.add("kind", newAuto("ServiceAccount"))
	meta := root.ensureMap("metadata")
	account := p.ServiceAccount.Name + "@" + p.ServiceAccount.ProjectID + ".iam.gserviceaccount.com"
	meta.ensureMap("annotations").add("iam.gke.io/gcp-service-account", newString(account))
	meta.add("name", newAuto(p.KubernetesService.Name))
	if ns := p.KubernetesService.Namespace; ns != "" {
		meta.add("namespace", newAuto(ns))
	}
	return []*Object{{root: root}}, nil
}
