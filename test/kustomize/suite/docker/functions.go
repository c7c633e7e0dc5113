package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"sigs.k8s.io/yaml"
)

// resourceList is what functions read and write.
type resourceList struct {
	APIVersion     string           `json:"apiVersion"`
	Kind           string           `json:"kind"`
	Items          []map[string]any `json:"items"`
	FunctionConfig config           `json:"functionConfig"`
}

// config has the fields that the functions below read of theirs.
type config struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Port int `json:"port"`
	} `json:"spec"`
	Data     map[string]any `json:"data"`
	Template string         `json:"template"`
	Path     string         `json:"path"`
}

func (l *resourceList) read(data []byte) error {
	if err := yaml.Unmarshal(data, l); err != nil {
		return err
	}
	if l.Kind != "ResourceList" || l.APIVersion != "config.kubernetes.io/v1" {
		return fmt.Errorf("input is a %s of %s", l.Kind, l.APIVersion)
	}
	return nil
}

func (l *resourceList) write(w io.Writer) error {
	out, err := yaml.Marshal(l)
	if err == nil {
		_, err = w.Write(out)
	}
	return err
}

func (l *resourceList) add(manifest []byte) error {
	item := map[string]any{}
	if err := yaml.Unmarshal(manifest, &item); err != nil {
		return err
	}
	l.Items = append(l.Items, item)
	return nil
}

// functions are the images of the cases, by the end of their names: each does what its name and its case say.
var functions = map[string]func(*resourceList, *container) error{
	"e2econtainersimplegenerator":   service,
	"e2econtainerconfig":            annotate,
	"e2econtainerenvgenerator":      template,
	"e2econtainermountbind":         mounted,
	"label-namespace:go-sdk-v0.0.1": labelNamespaces,
}

// service makes a service of the config's name and port.
func service(l *resourceList, _ *container) error {
	c := l.FunctionConfig
	return l.add(fmt.Appendf(nil, `
apiVersion: v1
kind: Service
metadata: {name: %[1]s-svc, labels: {app: %[1]s}}
spec:
  ports: [{name: http, port: %[2]d, protocol: TCP, targetPort: %[2]d}]
  selector: {app: %[1]s}
`, c.Metadata.Name, c.Spec.Port))
}

// annotate puts the config's three values into annotations of every item.
func annotate(l *resourceList, _ *container) error {
	values := map[string]any{"stringValue": "", "intValue": 0, "boolValue": false}
	for key := range values {
		if v, ok := l.FunctionConfig.Data[key]; ok {
			values[key] = v
		}
	}
	for _, item := range l.Items {
		notes, err := below(item, "metadata", "annotations")
		if err != nil {
			return err
		}
		notes["a-string-value"] = fmt.Sprint(values["stringValue"])
		notes["a-int-value"] = fmt.Sprint(values["intValue"])
		notes["a-bool-value"] = fmt.Sprint(values["boolValue"])
	}
	return nil
}

// template makes what the config's template gives with a variable of the environment.
func template(l *resourceList, _ *container) error {
	return l.add(fmt.Appendf(nil, l.FunctionConfig.Template, os.Getenv("TESTTEMPLATE")))
}

// mounted adds a file of the container.
func mounted(l *resourceList, c *container) error {
	data, err := c.file(l.FunctionConfig.Path)
	if err != nil {
		return err
	}
	return l.add(data)
}

// labelNamespaces puts the config's label on every namespace.
func labelNamespaces(l *resourceList, _ *container) error {
	name, ok := l.FunctionConfig.Data["label_name"].(string)
	if !ok {
		return errors.New("data.label_name is missing")
	}
	for _, item := range l.Items {
		if item["kind"] != "Namespace" {
			continue
		}
		labels, err := below(item, "metadata", "labels")
		if err != nil {
			return err
		}
		labels[name] = l.FunctionConfig.Data["label_value"]
	}
	return nil
}

// below gives a mapping inside another one, making it where there is none.
func below(m map[string]any, path ...string) (map[string]any, error) {
	for _, step := range path {
		if m[step] == nil {
			m[step] = map[string]any{}
		}
		next, ok := m[step].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no mapping", step)
		}
		m = next
	}
	return m, nil
}
