package create

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

func newConfigMap(f *cli.Factory) *cobra.Command {
	s := &sources{}
	return generator{
		use: "configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]", aliases: []string{"cm"},
		short: "Create a config map from a local file, directory or literal value",
		long: `Make a config map of files, directories and values. A file's key is its name unless one is given; of a directory every
regular file becomes a key.`,
		example: `
  # A key for each file of a directory
  skiff create configmap settings --from-file=./settings/

  # A key of its own for a file
  skiff create configmap settings --from-file=redis.conf=./redis-config

  # Values
  skiff create configmap settings --from-literal=mode=fast --from-literal=size=3

  # A key for each line of a file of environment variables
  skiff create configmap settings --from-env-file=./web.env`,
		failure: "failed to create configmap: %v",
		flags:   s.addFlags,
		make: func(name string, _ []string) (api.Object, error) {
			return s.configMap(name)
		},
	}.command(f)
}

// addFlags declares where data comes from.
func (s *sources) addFlags(fs *pflag.FlagSet) {
	fs.StringSliceVar(&s.files, "from-file", nil, "File, or key=file, or a directory with files.")
	fs.StringArrayVar(&s.literals, "from-literal", nil, "A key with its value: key=value.")
	fs.StringSliceVar(&s.envFiles, "from-env-file", nil, "File with lines key=value.")
	fs.BoolVar(&s.appendHash, "append-hash", false, "Append a hash of the content to the name.")
}

func (s *sources) configMap(name string) (api.Object, error) {
	obj := &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{}, BinaryData: map[string][]byte{},
	}
	err := s.each("env config file cannot be a directory", func(key string, value []byte) error {
		if errs := validation.IsConfigMapKey(key); len(errs) > 0 {
			return fmt.Errorf("%q is not a valid key name for a ConfigMap: %s", key, strings.Join(errs, ","))
		}
		if _, ok := obj.Data[key]; ok {
			return fmt.Errorf("cannot add key %q, another key by that name already exists in Data for ConfigMap %q", key, name)
		}
		if _, ok := obj.BinaryData[key]; ok {
			return fmt.Errorf("cannot add key %q, another key by that name already exists in BinaryData for ConfigMap %q", key, name)
		}
		if utf8.Valid(value) {
			obj.Data[key] = string(value)
		} else {
			obj.BinaryData[key] = value
		}
		return nil
	})
	if err != nil || !s.appendHash {
		return obj, err
	}
	content := map[string]any{"kind": "ConfigMap", "name": name, "data": obj.Data}
	if len(obj.BinaryData) > 0 {
		content["binaryData"] = obj.BinaryData
	}
	obj.Name, err = hashedName(name, content)
	return obj, err
}
