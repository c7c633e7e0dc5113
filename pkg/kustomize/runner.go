package kustomize

// Runner runs what the engine cannot by itself: it knows no processes and no containers.
type Runner interface {
	// Find gives the absolute path of an executable below the plugin home: GROUP/VERSION/kind/Kind.
	Find(plugin string) (string, error)
	// Run runs a program and gives what it writes to its standard output.
	Run(p Program) ([]byte, error)
	// RunContainer runs the function of an image in the same way.
	RunContainer(c Container) ([]byte, error)
}

// Plugins says what generators, transformers and validators may do that are not built in.
type Plugins struct {
	// Exec allows functions that are executables.
	Exec bool
	// Network allows functions in containers to have a network, if they ask for one.
	Network bool
	// AsCurrentUser runs containers as the user of the build, not as nobody.
	AsCurrentUser bool
	// Mounts are added to those of every container.
	Mounts []Mount
	// Env has variables of all functions: NAME=value, or NAME alone for the value that the build itself has.
	Env []string
}

// Program is the executable of a function or plugin.
type Program struct {
	Path string
	Args []string
	// Env is added to the environment of the build.
	Env []string
	// Dir is where it runs: the directory of its kustomization.
	Dir   string
	Input []byte
	// Config is what a plugin finds in the file that its first argument names. nil means that there is no such argument.
	Config []byte
}

// Container is the image of a function.
type Container struct {
	Image string
	// Network gives it the network of the machine, in place of none.
	Network       bool
	AsCurrentUser bool
	Mounts        []Mount
	Env           []string
	Dir           string
	Input         []byte
}

// Mount is storage that a container sees.
type Mount struct {
	Type     string `json:"type,omitempty"`
	Source   string `json:"src,omitempty"`
	Target   string `json:"dst,omitempty"`
	Writable bool   `json:"rw,omitempty"`
}
