package kustomize

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// functionSpec is what the annotation of a config says about its function.
type functionSpec struct {
	DeferFailure bool          `json:"deferFailure,omitempty"`
	Container    containerSpec `json:"container,omitempty"`
	Exec         execSpec      `json:"exec,omitempty"`
}

type containerSpec struct {
	Image   string   `json:"image,omitempty"`
	Network bool     `json:"network,omitempty"`
	Mounts  []Mount  `json:"mounts,omitempty"`
	Env     []string `json:"envs,omitempty"`
}

type execSpec struct {
	Path string   `json:"path,omitempty"`
	Args []string `json:"args,omitempty"`
	Env  []string `json:"envs,omitempty"`
}

// functionOf reads which function a config is for, nil if it is for none.
func functionOf(config *Object) (*functionSpec, error) {
	notes := config.stringMap("annotations")
	for _, key := range []string{"config.kubernetes.io/function", "config.k8s.io/function"} {
		if text := notes[key]; text != "" {
			return parseFunction(key, []byte(text))
		}
	}
	if n := config.root.at("metadata", "configFn"); !n.isNull() {
		text, err := writeYAML(nil, n)
		if err != nil {
			return nil, err
		}
		return parseFunction("configFn", text)
	}
	if image := notes["config.kubernetes.io/container"]; image != "" {
		return &functionSpec{Container: containerSpec{Image: image}}, nil
	}
	return nil, nil
}

func parseFunction(where string, text []byte) (*functionSpec, error) {
	spec := &functionSpec{}
	if err := yaml.UnmarshalStrict(text, spec); err != nil {
		return nil, fmt.Errorf("loader: failed to get FunctionSpec: %s unmarshal error: %w (a function is an exec or a container; starlark is not supported)",
			where, err)
	}
	return spec, nil
}
