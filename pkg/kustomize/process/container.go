package process

import (
	"errors"
	"fmt"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// RunContainer runs a container with docker.
func (r Runner) RunContainer(c kustomize.Container) ([]byte, error) {
	args, err := dockerArgs(c)
	if err != nil {
		return nil, err
	}
	out, err := r.Run(kustomize.Program{Path: "docker", Args: args, Dir: c.Dir, Input: c.Input})
	if errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("image %s needs a container, and there is no docker on the PATH to run it: %w", c.Image, err)
	}
	return out, err
}

// dockerArgs asks for as little as a function needs: no network unless it is to have one, nobody's rights and no way to more.
func dockerArgs(c kustomize.Container) ([]string, error) {
	network, who := "none", "nobody"
	if c.Network {
		network = "host"
	}
	if c.AsCurrentUser {
		u, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("find the current user: %w", err)
		}
		who = u.Uid + ":" + u.Gid
	}
	args := []string{"run", "--rm", "-i", "-a", "STDIN", "-a", "STDOUT", "-a", "STDERR", "--network", network, "--user", who,
		"--security-opt=no-new-privileges"}
	for _, m := range c.Mounts {
		if !filepath.IsAbs(m.Source) {
			m.Source = filepath.Join(c.Dir, m.Source)
		}
		mount := fmt.Sprintf("type=%s,source=%s,target=%s", m.Type, m.Source, m.Target)
		if !m.Writable {
			mount += ",readonly"
		}
		args = append(args, "--mount", mount)
	}
	for _, v := range c.Env {
		args = append(args, "-e", v)
	}
	return append(args, c.Image), nil
}

// ParseMount reads the value of a flag: type=TYPE,src=SOURCE,dst=TARGET,rw=true.
func ParseMount(s string) kustomize.Mount {
	var m kustomize.Mount
	for option := range strings.SplitSeq(s, ",") {
		switch key, value, _ := strings.Cut(option, "="); key {
		case "type":
			m.Type = value
		case "src", "source":
			m.Source = value
		case "dst", "target":
			m.Target = value
		case "rw":
			m.Writable = value == "true"
		}
	}
	return m
}
