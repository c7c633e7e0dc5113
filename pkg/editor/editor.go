// Package editor is the round trip through the user's editor: text out to a file, the program of KUBE_EDITOR or EDITOR on
// it, text back. It knows nothing of what the text says.
package editor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Options say how the editor is run.
type Options struct {
	In          io.Reader
	Out, ErrOut io.Writer
	// WindowsLineEndings gives the file CRLF.
	WindowsLineEndings bool
	// Suffix of the file's name, ".yaml" by default.
	Suffix string
}

// Edit lets the user change text and gives the result without its comments; nil means that nothing is left or was changed.
func Edit(ctx context.Context, o Options, text []byte) ([]byte, error) {
	path, err := Write(o, text)
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	edited, err := Launch(ctx, o, path)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(StripComments(edited), StripComments(text)) || len(bytes.TrimSpace(StripComments(edited))) == 0 {
		return nil, nil
	}
	return StripComments(edited), nil
}

// Write puts text in a file that only the user may read.
func Write(o Options, text []byte) (string, error) {
	suffix := o.Suffix
	if suffix == "" {
		suffix = ".yaml"
	}
	f, err := os.CreateTemp("", "kubectl-edit-*"+suffix)
	if err != nil {
		return "", err
	}
	if o.WindowsLineEndings {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	_, err = f.Write(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return f.Name(), err
}

// Launch runs the editor on a file and reads it back.
func Launch(ctx context.Context, o Options, path string) ([]byte, error) {
	argv := command()
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], abs)...)
	if len(argv) == 1 && strings.ContainsAny(argv[0], " \"'\\") && runtime.GOOS != "windows" {
		// An editor with arguments goes through the shell, as in git.
		cmd = exec.CommandContext(ctx, shell(), "-c", argv[0]+` "$0"`, abs)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = o.In, o.Out, o.ErrOut
	if err := cmd.Run(); err != nil {
		if _, ok := err.(*exec.Error); ok {
			return nil, fmt.Errorf("unable to launch the editor %q", argv[0])
		}
		return nil, fmt.Errorf("there was a problem with the editor %q", argv[0])
	}
	data, err := os.ReadFile(path)
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), err
}

// command is the user's editor: vi, or notepad on Windows, where none is set.
func command() []string {
	for _, name := range []string{"KUBE_EDITOR", "EDITOR"} {
		if e := strings.TrimSpace(os.Getenv(name)); e != "" {
			return []string{e}
		}
	}
	if runtime.GOOS == "windows" {
		return []string{"notepad"}
	}
	return []string{"vi"}
}

func shell() string {
	if s := os.Getenv("SHELL"); s != "" {
		return s
	}
	return "/bin/bash"
}

// StripComments leaves out lines that begin with "#".
func StripComments(text []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(bytes.TrimLeft(line, " \t"), []byte("#")) {
			out.Write(line)
		}
	}
	return out.Bytes()
}
