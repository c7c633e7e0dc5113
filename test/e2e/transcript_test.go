package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// transcript is what the commands of a script printed.
type transcript struct {
	// against is the kubectl that repeats what only reads; empty for none.
	against string
	lines   []entry
}

type entry struct {
	command string
	output  string // stdout, stderr, and the exit code
}

// run is exec with a record: run COMMAND …; with "!" the command must fail.
func (tr *transcript) run(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[0], args[1:]...)
	if (err != nil) != neg {
		ts.Fatalf("%s: got %v, want failure: %v", strings.Join(args, " "), err, neg)
	}
	said := render(ts.ReadFile("stdout"), ts.ReadFile("stderr"), err)
	tr.lines = append(tr.lines, entry{strings.Join(args, " "), said})
	if tr.against != "" && args[0] == "kubectl" && reads(args[1:]) {
		tr.repeat(ts, args, said)
	}
}

// repeat runs the real kubectl on the same cluster. An age may tick between the two, so both get a few tries, and on a busy machine, where
// one ticks every time, it is enough that the real one's ages lie between those of ours before and after it.
func (tr *transcript) repeat(ts *testscript.TestScript, args []string, ours string) {
	var theirs string
	for range 5 {
		theirs = tr.real(ts, args[1:])
		if ours == theirs {
			return
		}
		before := ours
		err := ts.Exec(args[0], args[1:]...)
		ours = render(ts.ReadFile("stdout"), ts.ReadFile("stderr"), err)
		if ours == theirs || between(before, theirs, ours) {
			return
		}
	}
	ts.Fatalf("%s: ours and the real one differ\n--- ours\n%s--- real\n%s", strings.Join(args, " "), ours, theirs)
}

var (
	ages   = regexp.MustCompile(`\b(\d+m)?\d+s\b`)
	digits = regexp.MustCompile(`\d`)
)

// between tells whether three texts are the same to the byte but for ages, and no age is less than in the text before.
func between(texts ...string) bool {
	masked := func(s string) string {
		return ages.ReplaceAllStringFunc(s, func(age string) string { return digits.ReplaceAllString(age, "0") })
	}
	for i := 1; i < len(texts); i++ {
		earlier, later := ages.FindAllString(texts[i-1], -1), ages.FindAllString(texts[i], -1)
		if masked(texts[i-1]) != masked(texts[i]) {
			return false
		}
		for j := range earlier {
			a, err1 := time.ParseDuration(earlier[j])
			b, err2 := time.ParseDuration(later[j])
			if err1 != nil || err2 != nil || a > b {
				return false
			}
		}
	}
	return true
}

func (tr *transcript) real(ts *testscript.TestScript, args []string) string {
	cmd := exec.Command(tr.against, args...)
	cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"HOME", "PATH", "LANG", "SKIFF_HOME"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	return render(out.String(), errOut.String(), err)
}

func render(stdout, stderr string, err error) string {
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	}
	return fmt.Sprintf("%s[stderr]\n%s[exit %d]\n", stdout, stderr, code)
}

// reads tells commands that change nothing.
func reads(args []string) bool {
	if slices.Contains(args, "-f") && args[0] == "logs" {
		return false
	}
	switch args[0] {
	case "get", "describe", "logs", "explain", "api-resources", "api-versions", "cluster-info", "version":
		return true
	case "rollout":
		return len(args) > 1 && (args[1] == "history" || args[1] == "status")
	case "auth":
		return true
	}
	return false
}

// Everything that differs from cluster to cluster.
var unstable = []struct {
	pattern *regexp.Regexp
	to      string
}{
	{regexp.MustCompile(`starting the built-in cluster .*\n`), ""},
	{regexp.MustCompile(`Waiting for deployment .*\n`), ""}, // how often the status changes is a matter of luck
	{regexp.MustCompile(`\b10\.\d+\.\d+\.\d+\b`), "IP"},
	{regexp.MustCompile(`\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}`), "DATE"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "DIGEST"},
	{regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "UID"},
	{regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5}\b`), "-XXXXX"},
	{regexp.MustCompile(`:3\d{4}/`), ":NODEPORT/"},
	{regexp.MustCompile(`<unset>  3\d{4}/`), "<unset>  NODEPORT/"},
	{regexp.MustCompile(`(\d+h)?(\d+m)?\d+(\.\d+)?m?s\b`), "AGE"},
	{regexp.MustCompile(`\(x\d+ over`), "(xN over"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func stable(s string) string {
	for _, u := range unstable {
		s = u.pattern.ReplaceAllString(s, u.to)
	}
	return s
}

// compareTranscripts holds what both programs said against each other, line by line of the script.
func compareTranscripts(t *testing.T, ours, theirs *transcript) {
	t.Helper()
	if len(ours.lines) != len(theirs.lines) {
		t.Fatalf("ours ran %d commands, the real one %d", len(ours.lines), len(theirs.lines))
	}
	for i, line := range ours.lines {
		// What reads was compared on one cluster, to the byte; events and sets of pods differ from run to run.
		if fields := strings.Fields(line.command); fields[0] == "kubectl" && reads(fields[1:]) {
			continue
		}
		if got, want := stable(line.output), stable(theirs.lines[i].output); got != want {
			t.Errorf("%s\n--- ours\n%s--- real\n%s", line.command, got, want)
		}
	}
}
