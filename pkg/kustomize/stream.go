package kustomize

import (
	"fmt"
	"runtime"
	"slices"
)

// runsPerProcessor makes runs of objects short enough that no processor waits for another's last one.
const runsPerProcessor = 8

// Write prints objects as kustomize does.
func Write(objects []*Object) ([]byte, error) {
	size := max(1, len(objects)/(runsPerProcessor*runtime.GOMAXPROCS(0)))
	runs := slices.Collect(slices.Chunk(objects, size))
	out, errs := make([][]byte, len(runs)), make([]error, len(runs))
	inParallel(len(runs), func(i int) { out[i], errs[i] = writeRun(runs[i], i == 0) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return slices.Concat(out...), nil
}

func writeRun(objects []*Object, first bool) (out []byte, err error) {
	for i, o := range objects {
		if i > 0 || !first {
			out = append(out, "---\n"...)
		}
		if out, err = writeYAML(out, o.root); err != nil {
			return nil, fmt.Errorf("write %s%s: %w", o.id(), o.from(), err)
		}
	}
	return out, nil
}
