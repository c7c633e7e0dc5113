package create

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
)

// sources is where the data of config maps and secrets comes from.
type sources struct {
	files, literals, envFiles []string
	appendHash                bool
}

// each gives every key with its value: files, then literals, then the lines of env files.
func (s *sources) each(envIsDir string, add func(key string, value []byte) error) error {
	if len(s.envFiles) > 0 && (len(s.files) > 0 || len(s.literals) > 0) {
		return fmt.Errorf("from-env-file cannot be combined with from-file or from-literal")
	}
	for _, f := range s.files {
		if err := addFiles(f, add); err != nil {
			return err
		}
	}
	for _, l := range s.literals {
		key, value, ok := strings.Cut(l, "=")
		if !ok || key == "" {
			return fmt.Errorf("invalid literal source %v, expected key=value", l)
		}
		if err := add(key, []byte(value)); err != nil {
			return err
		}
	}
	for _, f := range s.envFiles {
		info, err := stat(f)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return errors.New(envIsDir)
		}
		if err := addEnvFile(f, add); err != nil {
			return err
		}
	}
	return nil
}

func stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("error reading %s: %v", path, pathErr.Err)
	}
	return info, err
}

// parseFile reads [key=]path.
func parseFile(source string) (key, path string, err error) {
	switch n := strings.Count(source, "="); {
	case n == 0:
		return filepath.Base(filepath.ToSlash(source)), source, nil
	case n == 1 && strings.HasPrefix(source, "="):
		return "", "", fmt.Errorf("key name for file path %v missing", strings.TrimPrefix(source, "="))
	case n == 1 && strings.HasSuffix(source, "="):
		return "", "", fmt.Errorf("file path for key name %v missing", strings.TrimSuffix(source, "="))
	case n > 1:
		return "", "", errors.New("key names or file paths cannot contain '='")
	}
	key, path, _ = strings.Cut(source, "=")
	return key, path, nil
}

func addFiles(source string, add func(string, []byte) error) error {
	key, path, err := parseFile(source)
	if err != nil {
		return err
	}
	info, err := stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return addFile(key, path, add)
	}
	if strings.Contains(source, "=") {
		return fmt.Errorf("cannot give a key name for a directory path")
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("error listing files in %s: %v", path, err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := addFile(e.Name(), filepath.Join(path, e.Name()), add); err != nil {
			return err
		}
	}
	return nil
}

func addFile(key, path string, add func(string, []byte) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return add(key, data)
}

func addEnvFile(path string, add func(string, []byte) error) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	scanner := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Bytes()
		if !utf8.Valid(line) {
			return fmt.Errorf("env file %s contains invalid utf-8 bytes at line %d: %v", path, n, line)
		}
		text := strings.TrimLeftFunc(string(line), unicode.IsSpace)
		if text == "" || text[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if errs := validation.IsEnvVarName(key); len(errs) > 0 {
			return fmt.Errorf("%q is not a valid key name: %s", key, strings.Join(errs, ";"))
		}
		if !ok {
			// A bare name takes its value from the environment.
			value = os.Getenv(key)
		}
		if err := add(key, []byte(value)); err != nil {
			return err
		}
	}
	return scanner.Err()
}

// hashLetters keeps hashes from spelling words, as kubectl does.
var hashLetters = strings.NewReplacer("0", "g", "1", "h", "3", "k", "a", "m", "e", "t")

// hashedName appends a hash of content to a name.
func hashedName(name string, content map[string]any) (string, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return name + "-" + hashLetters.Replace(hex.EncodeToString(sum[:])[:10]), nil
}
