package kustomize

import "fmt"

// fields makes local what the fields of a kustomization name.
func (z *localizer) fields(k *Kustomization) error {
	if path, ok := k.OpenAPI["path"]; ok {
		local, err := z.file(path)
		if err != nil {
			return fmt.Errorf("unable to localize openapi path: %w", err)
		}
		k.OpenAPI["path"] = local
	}
	for _, f := range []struct {
		name  string
		paths []string
		local func(string) (string, error)
	}{
		{"bases", k.Bases, z.root},
		{"components", k.Components, z.root},
		{"configurations", k.Configurations, z.file},
		{"crds", k.CRDs, z.file},
		{"resources", k.Resources, z.resource},
		{"patchesStrategicMerge", k.PatchesStrategicMerge, z.merges},
	} {
		if err := each(f.paths, f.local); err != nil {
			return fmt.Errorf("unable to localize %s entry: %w", f.name, err)
		}
	}
	for i := range k.ConfigMapGenerator {
		if err := z.generator(&k.ConfigMapGenerator[i]); err != nil {
			return fmt.Errorf("unable to localize configMapGenerator: %w", err)
		}
	}
	for i := range k.SecretGenerator {
		if err := z.generator(&k.SecretGenerator[i].ConfigMapArgs); err != nil {
			return fmt.Errorf("unable to localize secretGenerator: %w", err)
		}
	}
	if err := z.charts(k); err != nil {
		return err
	}
	if err := z.patches(k.Patches); err != nil {
		return fmt.Errorf("unable to localize patches: %w", err)
	}
	if err := z.patches(k.PatchesJSON6902); err != nil {
		return fmt.Errorf("unable to localize patchesJson6902: %w", err)
	}
	for i := range k.Replacements {
		if err := replace(&k.Replacements[i].Path, z.file); err != nil {
			return fmt.Errorf("unable to localize replacements entry: %w", err)
		}
	}
	return nil
}

// each makes the entries of a list local.
func each(paths []string, local func(string) (string, error)) error {
	for i := range paths {
		if err := replace(&paths[i], local); err != nil {
			return err
		}
	}
	return nil
}

func replace(path *string, local func(string) (string, error)) (err error) {
	*path, err = local(*path)
	return err
}

func (z *localizer) patches(list []Patch) error {
	for i := range list {
		if err := replace(&list[i].Path, z.file); err != nil {
			return err
		}
	}
	return nil
}

func (z *localizer) generator(g *ConfigMapArgs) error {
	if err := replace(&g.Env, z.file); err != nil {
		return fmt.Errorf("unable to localize generator env file: %w", err)
	}
	if err := each(g.Envs, z.file); err != nil {
		return fmt.Errorf("unable to localize generator envs file: %w", err)
	}
	return each(g.Files, z.source)
}

// source makes local the file of a generator's KEY=FILE or FILE.
func (z *localizer) source(source string) (string, error) {
	key, file, err := fileSource(source)
	if err != nil {
		return "", err
	}
	local, err := z.file(file)
	if err != nil {
		return "", fmt.Errorf("invalid file source %q: %w", source, err)
	}
	if source == file {
		return local, nil
	}
	return key + "=" + local, nil
}
