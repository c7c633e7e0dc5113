package kustomize

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"
)

// execPlugin is a plugin of the older kind: an executable in the plugin home, found by the apiVersion and kind of its config.
type execPlugin struct {
	*target
	config *Object
	path   string
	args   []string
	text   []byte
}

func (p *execPlugin) prepare(t *target) (err error) {
	p.target = t
	g := p.config.orgID().gvk
	if p.path, err = t.options.Runner.Find(path.Join(g.Group, g.Version, strings.ToLower(g.Kind), g.Kind)); err != nil {
		return err
	}
	config, err := p.config.told()
	if err != nil {
		return err
	}
	if p.text, err = writeYAML(nil, config); err != nil {
		return err
	}
	if err := p.arguments(); err != nil {
		return fmt.Errorf("plugin %s fails configuration: %w", p.config.orgID(), err)
	}
	return nil
}

// arguments reads the two fields that give arguments to plugins which do not want to read their config.
func (p *execPlugin) arguments() error {
	var fields struct {
		ArgsOneLiner string `json:"argsOneLiner"`
		ArgsFromFile string `json:"argsFromFile"`
	}
	err := yaml.Unmarshal(p.text, &fields)
	if err != nil {
		return err
	}
	if p.args, err = splitWords(fields.ArgsOneLiner); err != nil {
		return fmt.Errorf("failed to parse argsOneLiner: %w", err)
	}
	if fields.ArgsFromFile == "" {
		return nil
	}
	data, err := p.loader.load(fields.ArgsFromFile)
	if err != nil {
		return fmt.Errorf("argsFromFile: %w", err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if line = strings.TrimLeft(line, " "); line != "" {
			p.args = append(p.args, line)
		}
	}
	return nil
}

// splitWords cuts a line as a shell does: quotes, backslashes, comments.
func splitWords(s string) ([]string, error) {
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	var quote rune
	escaped := false
	for _, r := range s {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case r == quote:
			quote = 0
		case quote == 0 && r == '#':
			end()
			return words, nil
		case quote == 0 && unicode.IsSpace(r):
			end()
		default:
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("unclosed quote in string")
	}
	end()
	return words, nil
}

func (p *execPlugin) generate() ([]*Object, error) {
	list, err := p.run(nil)
	if err != nil {
		return nil, err
	}
	return generatedBy(list)
}

func (p *execPlugin) transform(m *resMap) error {
	inputs, err := m.identified()
	if err != nil {
		return err
	}
	list, err := p.run(inputs)
	if err != nil {
		return err
	}
	return m.update(p.path, list)
}

func (p *execPlugin) run(inputs []*node) ([]*Object, error) {
	var input []byte
	var err error
	for i, n := range inputs {
		if i > 0 {
			input = append(input, "---\n"...)
		}
		if input, err = writeYAML(input, n); err != nil {
			return nil, err
		}
	}
	env := []string{"KUSTOMIZE_PLUGIN_CONFIG_ROOT=" + p.loader.root}
	// A longer variable than this keeps Linux from starting the program at all.
	const longest = 131071
	if v := "KUSTOMIZE_PLUGIN_CONFIG_STRING=" + string(p.text); len(v) <= longest {
		env = append(env, v)
	} else {
		p.warn(fmt.Sprintf("KUSTOMIZE_PLUGIN_CONFIG_STRING exceeds hard limit of %d characters, the environment variable will be omitted", longest))
	}
	out, err := p.options.Runner.Run(Program{Path: p.path, Args: p.args, Env: env, Dir: p.loader.root, Input: input, Config: p.text})
	if err != nil {
		return nil, fmt.Errorf("failure in plugin %s: %w", p.path, err)
	}
	return parseObjects(out)
}
