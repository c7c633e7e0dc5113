package cfg

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// Count prints how many objects there are, of each kind or in all.
func Count(w io.Writer, objects []*Object, kinds bool) {
	if !kinds {
		fmt.Fprintln(w, len(objects))
		return
	}
	count := map[string]int{}
	for _, o := range objects {
		count[o.kind()]++
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(w, "%s: %d\n", kind, count[kind])
	}
}
