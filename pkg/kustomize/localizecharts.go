package kustomize

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// defaultChartHome is where charts lie unless a kustomization says otherwise.
const defaultChartHome = "charts"

// charts makes local the values of charts, and copies the directory of those that lie on disk.
func (z *localizer) charts(k *Kustomization) error {
	for i := range k.HelmChartInflationGenerator {
		c := &k.HelmChartInflationGenerator[i]
		if err := replace(&c.Values, z.file); err != nil {
			return fmt.Errorf("unable to localize helmChartInflationGenerator entry %d values: %w", i, err)
		}
		if err := replace(&c.ChartHome, z.chartHome); err != nil {
			return fmt.Errorf("unable to copy helmChartInflationGenerator entry %d: %w", i, err)
		}
	}
	for i := range k.HelmCharts {
		c := &k.HelmCharts[i]
		if err := replace(&c.ValuesFile, z.file); err != nil {
			return fmt.Errorf("unable to localize helmCharts entry %d valuesFile: %w", i, err)
		}
		if err := each(c.AdditionalValuesFiles, z.file); err != nil {
			return fmt.Errorf("unable to localize helmCharts entry %d additionalValuesFiles: %w", i, err)
		}
	}
	if k.HelmGlobals != nil {
		if err := replace(&k.HelmGlobals.ChartHome, z.chartHome); err != nil {
			return fmt.Errorf("unable to copy helmGlobals: %w", err)
		}
	} else if len(k.HelmCharts) > 0 {
		if _, err := z.chartHome(""); err != nil {
			return fmt.Errorf("unable to copy default chart home: %w", err)
		}
	}
	return nil
}

// chartHome copies the directory of charts and gives its path in the copy. One that is not there stays as it is: helm may
// be about to fill it.
func (z *localizer) chartHome(entry string) (string, error) {
	path := or(entry, defaultChartHome)
	if filepath.IsAbs(path) {
		return "", fmt.Errorf("absolute path %q not handled in alpha", path)
	}
	path = filepath.Clean(path)
	if exists(z.loader.join(path)) {
		var err error
		if path, err = z.copyHome(path); err != nil {
			return "", fmt.Errorf("unable to copy home %q: %w", entry, err)
		}
	}
	if entry == "" {
		return "", nil
	}
	return path, nil
}

func (z *localizer) copyHome(path string) (string, error) {
	l, err := z.below(path)
	if err != nil {
		return "", fmt.Errorf("invalid chart home: %w", err)
	}
	to := path
	if path != defaultChartHome {
		if to, err = filepath.Rel(z.loader.root, l.root); err != nil {
			return "", err
		}
	}
	dst := filepath.Join(z.dst, to)
	if exists(dst) {
		return to, nil
	}
	if err := copyTree(l.root, dst); err != nil {
		return "", fmt.Errorf("unable to copy chart home %q: %w", path, err)
	}
	return to, nil
}

// copyTree copies directories and files; symbolic links stay behind.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o777)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return write(filepath.Join(to, rel), data)
	})
}
