package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is a line of test2json.
type event struct{ Action, Test, Output string }

// cases are the tests by name; those with subtests count as their subtests.
type cases struct {
	left   map[string]string // exceptions, with their reasons
	order  []string
	state  map[string]string
	output map[string]*strings.Builder
	stray  strings.Builder
}

func newCases(left map[string]string) *cases {
	return &cases{left: left, state: map[string]string{}, output: map[string]*strings.Builder{}}
}

func (c *cases) add(pkg string, e event) {
	if e.Test == "" {
		c.stray.WriteString(e.Output)
		return
	}
	e.Test = pkg + "/" + e.Test
	if c.output[e.Test] == nil {
		c.output[e.Test] = &strings.Builder{}
		c.state[e.Test] = "unfinished"
		c.order = append(c.order, e.Test)
	}
	switch e.Action {
	case "output":
		c.output[e.Test].WriteString(e.Output)
	case "pass", "fail", "skip":
		c.state[e.Test] = e.Action
	}
}

func (c *cases) leaves() []string {
	parents := map[string]bool{}
	for _, name := range c.order {
		for i := range name {
			if name[i] == '/' {
				parents[name[:i]] = true
			}
		}
	}
	var out []string
	for _, name := range c.order {
		if !parents[name] {
			out = append(out, name)
		}
	}
	return out
}

func (c *cases) report(path string) error {
	passed, total, leftOut := 0, 0, 0
	groups := map[string][]string{}
	for _, name := range c.leaves() {
		if c.left[name] != "" {
			leftOut++
			continue
		}
		total++
		if c.state[name] == "pass" {
			passed++
			continue
		}
		cause := causeOf(c.state[name], c.output[name].String())
		groups[cause] = append(groups[cause], name)
	}
	summary := fmt.Sprintf("kustomize-suite: %d passed, %d failed, %d total (%d left out, see exceptions.txt)\n", passed, total-passed, total, leftOut)
	fmt.Print(summary)
	if total == 0 {
		return fmt.Errorf("no case ran: %s", c.stray.String())
	}
	if path != "" {
		if err := os.WriteFile(path, c.listing(summary, groups), 0o644); err != nil {
			return err
		}
	}
	if passed < total {
		os.Exit(1)
	}
	return nil
}

func (c *cases) listing(summary string, groups map[string][]string) []byte {
	var out bytes.Buffer
	out.WriteString(summary)
	causes := make([]string, 0, len(groups))
	for cause := range groups {
		causes = append(causes, cause)
	}
	slices.SortFunc(causes, func(a, b string) int {
		if n := len(groups[b]) - len(groups[a]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, cause := range causes {
		fmt.Fprintf(&out, "%4d  %s\n", len(groups[cause]), cause)
	}
	for _, cause := range causes {
		fmt.Fprintf(&out, "\n======== %d: %s\n", len(groups[cause]), cause)
		for _, name := range groups[cause] {
			fmt.Fprintf(&out, "--- %s\n%s", name, essence(c.output[name].String()))
		}
	}
	return out.Bytes()
}

var (
	quoted = regexp.MustCompile(`skiff-error: (".*")`)
	// unsupported is the end of an error that counts: how it was reached does not matter for a field that we do not know.
	unsupported = regexp.MustCompile(`unknown field \\"\w+|field '[\w.]+' is not supported yet|option '\w+' is not supported yet|is in a git repository, and those are not fetched yet|no such file or directory .name a file|\w+ are not supported yet|is remote: this build reads local files only`)
	paths       = regexp.MustCompile(`(/[\w.@-]+)+/?`)
)

// causeOf puts failures that look alike together.
func causeOf(state, output string) string {
	said := ""
	if m := quoted.FindAllStringSubmatch(output, -1); m != nil {
		if f := unsupported.FindString(m[len(m)-1][1]); f != "" {
			return "we fail: " + f
		}
		said = paths.ReplaceAllString(m[len(m)-1][1], "/…")
		if len(said) > 160 {
			said = said[:60] + " … " + said[len(said)-100:]
		}
	}
	switch {
	case state == "skip":
		return "skipped"
	case state == "unfinished":
		return "did not finish"
	case strings.Contains(output, "Expected not equal to actual"):
		return "output differs"
	case strings.Contains(output, "Not equal:") && said == "":
		return "output differs (compared by the case)"
	case strings.Contains(output, "does not contain"), said != "" && strings.Contains(output, "Not equal:"), strings.Contains(output, "Error message not equal"):
		return "error text differs"
	case said != "":
		return "we fail: " + said
	case strings.Contains(output, "expected error"), strings.Contains(output, "An error is expected"):
		return "we should fail"
	}
	return "other"
}

// essence is what to look at first: our error and the first lines that differ.
func essence(output string) string {
	lines := strings.Split(output, "\n")
	var out []string
	shown := 0
	inActual := false
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "===== ACTUAL BEGIN"):
			inActual = true
		case strings.HasPrefix(line, "===== ACTUAL END"):
			inActual = false
		case inActual:
		case strings.HasPrefix(line, "X "):
			if shown == 0 {
				out = append(out, lines[max(i-3, 0):i]...)
			}
			if shown++; shown <= 8 {
				out = append(out, line)
			}
		case strings.HasPrefix(line, "   "), strings.HasPrefix(line, "==="), strings.HasPrefix(line, "---"), line == "":
			if t := strings.TrimSpace(line); strings.Contains(line, "_test.go") || strings.HasPrefix(t, "Error") || strings.HasPrefix(line, "        \t") {
				if len(line) < 600 && len(out) < 60 {
					out = append(out, line)
				}
			}
		case len(out) < 60:
			out = append(out, line[:min(len(line), 1200)])
		}
	}
	return strings.Join(out, "\n") + "\n"
}
