package kustomize

import (
	"fmt"
	"slices"
	"strings"
)

// chained is an error with one step of the way to it. A long way is written once, not once for each of its steps.
type chained struct {
	before, after string
	err           error
}

func (c *chained) Unwrap() error { return c.err }

// maxSteps are shown of a way; of a longer one the first and the last.
const maxSteps = 40

func (c *chained) Error() string {
	var steps, ends []string
	var last error = c
	for step, ok := c, true; ok; step, ok = last.(*chained) {
		steps, ends, last = append(steps, step.before), append(ends, step.after), step.err
	}
	if n := len(steps) - maxSteps; n > 0 {
		left := []string{fmt.Sprintf("(%d more steps): ", n)}
		steps = slices.Concat(steps[:maxSteps/2], left, steps[maxSteps/2+n:])
		ends = slices.Concat(ends[:maxSteps/2], ends[maxSteps/2+n:])
	}
	slices.Reverse(ends)
	return strings.Join(steps, "") + last.Error() + strings.Join(ends, "")
}
