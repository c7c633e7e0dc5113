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
	// The names go into text, as in kustomize: what looks like a number there is one.
	text := "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  annotations:\n    iam.gke.io/gcp-service-account: " +
		p.ServiceAccount.Name + "@" + p.ServiceAccount.ProjectID + ".iam.gserviceaccount.com\n  name: " + p.KubernetesService.Name + "\n"
	if ns := p.KubernetesService.Namespace; ns != "" {
		text += "\n  namespace: " + ns
	}
	root, err := readDocument(text, 0)
	if err != nil {
		return nil, err
	}
	return []*Object{{root: root}}, nil
}
