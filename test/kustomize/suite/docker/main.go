// Command docker stands for docker in the suite's container cases, so that they need neither a daemon nor a network: "build"
// succeeds, "run" checks that the function is locked in as kustomize does it, and runs our own equivalent of the image.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "build" {
		return
	}
	if err := run(os.Args[1:]); err != nil {
		log.Fatal("docker: ", err)
	}
}

// container is what "docker run" was asked for.
type container struct {
	image  string
	mounts map[string]string
}

func run(args []string) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	list := &resourceList{}
	if err := list.read(in); err != nil {
		return err
	}
	function := functions[c.image[strings.LastIndexByte(c.image, '/')+1:]]
	if function == nil {
		return fmt.Errorf("no such image: %s", c.image)
	}
	if err := function(list, c); err != nil {
		return err
	}
	return list.write(os.Stdout)
}

// fixed are the arguments that every function must be run with.
var fixed = strings.Fields("run --rm -i -a STDIN -a STDOUT -a STDERR --network none --user nobody --security-opt=no-new-privileges")

func parse(args []string) (*container, error) {
	if len(args) <= len(fixed) || !slices.Equal(args[:len(fixed)], fixed) {
		return nil, fmt.Errorf("arguments are %q, want them to begin with %q", args, fixed)
	}
	c := &container{mounts: map[string]string{}}
	for args = args[len(fixed):]; len(args) > 1; args = args[2:] {
		switch args[0] {
		case "-e":
			name, value, ok := strings.Cut(args[1], "=")
			if ok {
				os.Setenv(name, value)
			}
		case "--mount":
			option := map[string]string{}
			for part := range strings.SplitSeq(args[1], ",") {
				key, value, _ := strings.Cut(part, "=")
				option[key] = value
			}
			c.mounts[option["target"]] = option["source"]
		default:
			return nil, fmt.Errorf("unknown argument %q", args[0])
		}
	}
	if len(args) != 1 {
		return nil, errors.New("no image")
	}
	c.image = args[0]
	return c, nil
}

// file reads a file of the container.
func (c *container) file(path string) ([]byte, error) {
	for target, source := range c.mounts {
		if rest, ok := strings.CutPrefix(path, target); ok {
			return os.ReadFile(source + rest)
		}
	}
	return nil, fmt.Errorf("%s: not in a mount", path)
}
