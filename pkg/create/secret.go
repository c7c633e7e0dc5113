package create

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

func newSecret(f *cli.Factory) *cobra.Command {
	return cli.Family("secret (docker-registry | generic | tls)", "Create a secret using a specified subcommand",
		"Make a secret: for a registry of images, of files and values, or of a certificate with its key.",
		newGenericSecret(f), newTLSSecret(f), newDockerSecret(f))
}

func newGenericSecret(f *cli.Factory) *cobra.Command {
	s := &sources{}
	typ := ""
	return generator{
		use:   "generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
		short: "Create a secret from a local file, directory, or literal value",
		long:  "Make a secret of files, directories and values, in the same ways as a config map.",
		example: `
  skiff create secret generic keys --from-file=ssh-privatekey=./id_ed25519
  skiff create secret generic db --from-literal=user=admin --from-literal=password=s3cret
  skiff create secret generic web --from-env-file=./web.env`,
		failure: "failed to create secret %v",
		flags: func(fs *pflag.FlagSet) {
			s.addFlags(fs)
			fs.StringVar(&typ, "type", "", "Type of the secret.")
		},
		make: func(name string, _ []string) (api.Object, error) { return s.secret(name, corev1.SecretType(typ)) },
	}.command(f)
}

func (s *sources) secret(name string, typ corev1.SecretType) (api.Object, error) {
	obj := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: typ, Data: map[string][]byte{},
	}
	err := s.each("env secret file cannot be a directory", func(key string, value []byte) error {
		if errs := validation.IsConfigMapKey(key); len(errs) > 0 {
			return fmt.Errorf("%q is not valid key name for a Secret %s", key, strings.Join(errs, ";"))
		}
		if _, ok := obj.Data[key]; ok {
			return fmt.Errorf("cannot add key %s, another key by that name already exists", key)
		}
		obj.Data[key] = value
		return nil
	})
	if err != nil {
		return nil, err
	}
	return obj, s.nameByHash(obj)
}

func (s *sources) nameByHash(obj *corev1.Secret) (err error) {
	if !s.appendHash {
		return nil
	}
	obj.Name, err = hashedName(obj.Name, map[string]any{"kind": "Secret", "type": obj.Type, "name": obj.Name, "data": obj.Data})
	return err
}

func newTLSSecret(f *cli.Factory) *cobra.Command {
	s := &sources{}
	var cert, key string
	return generator{
		use:   "tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
		short: "Create a TLS secret",
		long:  "Make a secret of a certificate and its key, both PEM files that belong together.",
		example: `
  skiff create secret tls web --cert=./tls.crt --key=./tls.key`,
		failure: "failed to create secret %v",
		flags: func(fs *pflag.FlagSet) {
			fs.StringVar(&cert, "cert", "", "File with the certificate, PEM.")
			fs.StringVar(&key, "key", "", "File with the private key, PEM.")
			fs.BoolVar(&s.appendHash, "append-hash", false, "Append a hash of the content to the name.")
		},
		make: func(name string, _ []string) (api.Object, error) {
			if key == "" || cert == "" {
				return nil, fmt.Errorf("key and cert must be specified")
			}
			certPEM, err := readPEM(cert)
			if err != nil {
				return nil, err
			}
			keyPEM, err := readPEM(key)
			if err != nil {
				return nil, err
			}
			if _, err := tls.X509KeyPair(certPEM, keyPEM); err != nil {
				return nil, err
			}
			obj := &corev1.Secret{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
				ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeTLS,
				Data: map[string][]byte{corev1.TLSCertKey: certPEM, corev1.TLSPrivateKeyKey: keyPEM},
			}
			return obj, s.nameByHash(obj)
		},
	}.command(f)
}

func readPEM(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("Cannot read file %v, %v", file, err)
	}
	return data, nil
}

type dockerLogin struct {
	server, username, password, email string
}

func newDockerSecret(f *cli.Factory) *cobra.Command {
	s := &sources{}
	d := &dockerLogin{}
	return generator{
		use:   "docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
		short: "Create a secret for use with a Docker registry",
		long:  "Make a secret with which nodes pull images from a registry, of a login or of a file such as ~/.docker/config.json.",
		example: `
  skiff create secret docker-registry pull --docker-server=registry.example.com --docker-username=me --docker-password=s3cret
  skiff create secret docker-registry pull --from-file=$HOME/.docker/config.json`,
		failure: "failed to create secret %v",
		flags: func(fs *pflag.FlagSet) {
			fs.StringVar(&d.username, "docker-username", "", "User name at the registry.")
			fs.StringVar(&d.password, "docker-password", "", "Password at the registry.")
			fs.StringVar(&d.email, "docker-email", "", "Mail address for the registry.")
			fs.StringVar(&d.server, "docker-server", "https://index.docker.io/v1/", "Where the registry is.")
			fs.StringSliceVar(&s.files, "from-file", nil, "File with logins; its key is .dockerconfigjson unless one is given.")
			fs.BoolVar(&s.appendHash, "append-hash", false, "Append a hash of the content to the name.")
		},
		make: func(name string, _ []string) (api.Object, error) { return d.secret(name, s) },
	}.command(f)
}

func (d *dockerLogin) secret(name string, s *sources) (api.Object, error) {
	if len(s.files) > 0 {
		for i, file := range s.files {
			if !strings.Contains(file, "=") {
				s.files[i] = corev1.DockerConfigJsonKey + "=" + file
			}
		}
		return s.secret(name, corev1.SecretTypeDockerConfigJson)
	}
	if d.username == "" || d.password == "" || d.server == "" {
		return nil, fmt.Errorf("either --from-file or the combination of --docker-username, --docker-password and --docker-server is required")
	}
	type entry struct {
		Username string `json:"username,omitempty"`
		Password string `json:"password,omitempty"`
		Email    string `json:"email,omitempty"`
		Auth     string `json:"auth,omitempty"`
	}
	data, err := json.Marshal(map[string]any{"auths": map[string]entry{
		d.server: {d.username, d.password, d.email, base64.StdEncoding.EncodeToString([]byte(d.username + ":" + d.password))},
	}})
	if err != nil {
		return nil, err
	}
	obj := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: data},
	}
	return obj, s.nameByHash(obj)
}
