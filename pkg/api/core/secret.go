package core

import (
	"crypto/tls"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Secret is the kind v1 Secret.
var Secret = api.Define(api.Spec[*corev1.Secret]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Secret", Resource: "secrets",
	Namespaced: true,
	List:       &corev1.SecretList{},
	Default:    func(s *corev1.Secret) { orElse(&s.Type, corev1.SecretTypeOpaque) },
	Prepare:    prepareSecret,
	Validate:   validateSecret,
	Warn:       warnSecret,
	Fields: map[string]func(*corev1.Secret) string{
		"type": func(s *corev1.Secret) string { return string(s.Type) },
	},
	Describe: describeSecret,
	Columns: &api.Table[*corev1.Secret]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(),
			api.Column("Type", "string", corev1.Secret{}.SwaggerDoc()["type"]),
			api.Column("Data", "string", corev1.Secret{}.SwaggerDoc()["data"]),
			api.AgeColumn(),
		},
		Cells: func(s *corev1.Secret) []any {
			return []any{s.Name, string(s.Type), int64(len(s.Data)), api.Age(s.CreationTimestamp.Time)}
		},
	},
})

// prepareSecret moves plain text into the data: stringData is written and never read. An update without a type keeps it.
func prepareSecret(s, old *corev1.Secret) {
	if old != nil && s.Type == "" {
		s.Type = old.Type
	}
	if len(s.StringData) > 0 && s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
}

// warnSecret tells of a key that does not belong to its certificate.
func warnSecret(s, _ *corev1.Secret) []string {
	if s.Type != corev1.SecretTypeTLS {
		return nil
	}
	if _, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey]); err != nil {
		return []string{err.Error()}
	}
	return nil
}
