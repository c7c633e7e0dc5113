package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

// goldens sends what the kinds' golden files hold: inputs, rejected objects and updates.
func goldens(s *suite) error {
	for _, k := range samples {
		group, _, _ := strings.Cut(k.group, "/")
		group, _, _ = strings.Cut(group, ".")
		if group == "v1" {
			group = "core"
		}
		file := filepath.Join(s.golden, group, "testdata", strings.ToLower(k.kind)+".txtar")
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the golden file of %s: %w", k.kind, err)
		}
		golden(s, k, txtar.Parse(data))
	}
	return nil
}

func golden(s *suite, k sample, archive *txtar.Archive) {
	n, name := "golden "+k.kind, ""
	for _, f := range archive.Files {
		body, named := k.prepared(f.Data)
		path := strings.TrimSuffix(f.Name, ".yaml")
		verb, rest, _ := strings.Cut(path, "/")
		switch {
		case path == f.Name:
		case verb == "input":
			name = named
			s.do(n, "POST", k.collection, body)
			s.do(n, "GET", k.item(name), "", "Accept", tableType)
		case verb == "reject":
			s.do(n+" "+path, "POST", k.collection+"?dryRun=All", string(f.Data), "Content-Type", "application/yaml")
			s.do(n+" "+path, "POST", k.collection+"?dryRun=All", body)
		case verb == "update":
			s.do(n+" "+path, "PUT", k.item(name)+"?dryRun=All", body)
		case verb == "sub":
			sub, _, _ := strings.Cut(rest, "/")
			s.do(n+" "+path, "PUT", k.item(name)+"/"+sub+"?dryRun=All", body)
			s.do(n+" "+path, "PUT", k.item(name)+"/"+sub, body)
		}
	}
	s.quiet("DELETE", k.item(name), `{"gracePeriodSeconds":0}`)
}

// prepared moves an object into our namespace.
func (k sample) prepared(data []byte) (body, name string) {
	obj := map[string]any{}
	if err := yaml.Unmarshal(data, &obj); err != nil {
		return string(data), ""
	}
	meta, _ := obj["metadata"].(map[string]any)
	if meta != nil {
		name, _ = meta["name"].(string)
		if k.namespaced() {
			meta["namespace"] = "side"
		}
	}
	out, _ := json.Marshal(obj)
	return string(out), name
}
