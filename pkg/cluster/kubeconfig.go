package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfigPath is the file that a context is written to: the first of $KUBECONFIG (that exists, or else the last), or ~/.kube/config.
func kubeconfigPath() (string, owner, error) {
	o, err := callingUser()
	if err != nil && os.Getenv("KUBECONFIG") == "" {
		return "", o, err
	}
	files := filepath.SplitList(os.Getenv("KUBECONFIG"))
	files = slices.DeleteFunc(files, func(f string) bool { return f == "" })
	if len(files) == 0 {
		return filepath.Join(o.home, ".kube", "config"), o, nil
	}
	for _, f := range files {
		if _, err := os.Stat(f); err == nil {
			return f, o, nil
		}
	}
	return files[len(files)-1], o, nil
}

// writeContext copies the one context of the cluster's own kubeconfig into the calling user's, and makes it the current one.
func writeContext(cluster, from string) (path string, err error) {
	own, err := clientcmd.LoadFromFile(from)
	if err != nil {
		return "", fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	return editKubeconfig(func(c *clientcmdapi.Config) {
		maps.Copy(c.Clusters, own.Clusters)
		maps.Copy(c.AuthInfos, own.AuthInfos)
		for name, context := range own.Contexts {
			if old := c.Contexts[name]; old != nil {
				context.Namespace = old.Namespace // the user's choice stays
			}
			c.Contexts[name] = context
		}
		c.CurrentContext = contextName(cluster)
	})
}

// removeContext forgets the cluster's context, cluster and user. If it was the current one, the default cluster's is it then.
func removeContext(cluster string) error {
	name := contextName(cluster)
	_, err := editKubeconfig(func(c *clientcmdapi.Config) {
		delete(c.Clusters, name)
		delete(c.AuthInfos, name)
		delete(c.Contexts, name)
		if c.CurrentContext == name {
			c.CurrentContext = ""
			if c.Contexts[DefaultName] != nil {
				c.CurrentContext = DefaultName
			}
		}
	})
	return err
}

// editKubeconfig changes the calling user's kubeconfig under the lock that kubectl takes too (FILE.lock).
func editKubeconfig(edit func(*clientcmdapi.Config)) (string, error) {
	path, o, err := kubeconfigPath()
	if err != nil {
		return "", err
	}
	if err := o.mkdirAll(filepath.Dir(path)); err != nil {
		return path, fmt.Errorf("make the kubeconfig's directory: %w", err)
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return path, fmt.Errorf("lock the kubeconfig (if no other command is writing it, remove %s.lock): %w", path, err)
	}
	defer os.Remove(path + ".lock")
	lock.Close()
	config, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		config, err = clientcmdapi.NewConfig(), nil
	}
	if err != nil {
		return path, fmt.Errorf("read kubeconfig %s: %w", path, err)
	}
	before, err := clientcmd.Write(*config)
	if err != nil {
		return path, fmt.Errorf("encode kubeconfig: %w", err)
	}
	edit(config)
	after, err := clientcmd.Write(*config)
	if err != nil {
		return path, fmt.Errorf("encode kubeconfig: %w", err)
	}
	if string(before) == string(after) {
		return path, nil
	}
	return path, replaceFile(path, after, o)
}

// replaceFile writes data beside path and renames it there; links are followed, so that a linked kubeconfig stays one.
func replaceFile(path string, data []byte, o owner) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+"-*")
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close(), o.chown(f.Name())); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write kubeconfig %s: %w", path, err)
	}
	return nil
}
