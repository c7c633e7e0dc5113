package create

import (
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

func newNamespace(f *cli.Factory) *cobra.Command {
	return generator{
		use: "namespace NAME [--dry-run=server|client|none]", aliases: []string{"ns"},
		short: "Create a namespace with the specified name",
		long:  "Make a namespace.",
		example: `
  skiff create namespace team-a`,
		clusterScoped: true,
		make: func(name string, _ []string) (api.Object, error) {
			return &corev1.Namespace{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: name}}, nil
		},
	}.command(f)
}

func newServiceAccount(f *cli.Factory) *cobra.Command {
	return generator{
		use: "serviceaccount NAME [--dry-run=server|client|none]", aliases: []string{"sa"},
		short: "Create a service account with the specified name",
		long:  "Make a service account.",
		example: `
  skiff create serviceaccount robot`,
		failure: "failed to create serviceaccount: %v",
		make: func(name string, _ []string) (api.Object, error) {
			return &corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: metav1.ObjectMeta{Name: name}}, nil
		},
	}.command(f)
}
