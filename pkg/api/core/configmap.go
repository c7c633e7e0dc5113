package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConfigMap is the kind v1 ConfigMap.
var ConfigMap = api.Define(api.Spec[*corev1.ConfigMap]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "ConfigMap", Resource: "configmaps",
	ShortNames: []string{"cm"}, Namespaced: true,
	List: &corev1.ConfigMapList{},
	Default: func(c *corev1.ConfigMap) {
		if c.Data == nil {
			c.Data = map[string]string{}
		}
	},
	Validate: validateConfigMap,
	Describe: describeConfigMap,
	Columns: &api.Table[*corev1.ConfigMap]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(), api.Column("Data", "string", corev1.ConfigMap{}.SwaggerDoc()["data"]), api.AgeColumn(),
		},
		Cells: func(c *corev1.ConfigMap) []any {
			return []any{c.Name, int64(len(c.Data) + len(c.BinaryData)), api.Age(c.CreationTimestamp.Time)}
		},
	},
})
