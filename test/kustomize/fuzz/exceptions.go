package main

import (
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// exception is a kind of difference that no user could want mended.
type exception struct {
	reason string
	// odd tells which documents of the real output have another content hash by it.
	odd func(document string) bool
}

// exceptions lists what comes of the inside of the real one. Each is recognised by undoing it: an output that differs in
// anything else counts. One case may have several of them.
var exceptions = []exception{
	{
		// Of ConfigMaps and Secrets the real one hashes the content, and so do we. Of a generated resource that became another
		// kind it hashes its parser's nodes in memory, with line numbers, styles and comments, which change with the order of
		// its own steps. Ours is a hash of the content there, too.
		reason: "content hash of what a generator made and a patch turned into another kind",
		odd:    ofAnotherKind,
	},
}

// excepted holds if exceptions alone tell the real output from ours.
func excepted(theirs, ours string) bool {
	theirs = exchanged(theirs, ours, func(document string) bool {
		return slices.ContainsFunc(exceptions, func(e exception) bool { return e.odd(document) })
	})
	return theirs == ours || unhashed(theirs, ofAnotherKind) == unhashed(ours, ofAnotherKind)
}

// hashes are behind a name, or within, where a suffix was added to one that had its hash already.
var hashes = regexp.MustCompile(`-[2456789bcdfghkmt]{10}`)

// exchanged gives theirs with our hashes in the names of odd documents, and in what refers to them. The hashes are replaced
// without what stands before them: that may be lines of text.
func exchanged(theirs, ours string, odd func(document string) bool) string {
	a, b := strings.Split(theirs, "\n---\n"), strings.Split(ours, "\n---\n")
	if len(a) != len(b) {
		return theirs
	}
	var exchange []string
	for i := range a {
		_, want := identity(a[i])
		_, got := identity(b[i])
		their, our := hashes.FindAllString(want, -1), hashes.FindAllString(got, -1)
		if !odd(a[i]) || len(their) != len(our) || hashes.ReplaceAllString(want, "") != hashes.ReplaceAllString(got, "") {
			continue
		}
		for j := range their {
			exchange = append(exchange, their[j], our[j])
		}
	}
	return strings.NewReplacer(exchange...).Replace(theirs)
}

// unhashed drops the hashes in the names of odd documents, and the order, which may be one of hashes.
func unhashed(output string, odd func(document string) bool) string {
	documents := strings.Split(strings.TrimSuffix(output, "\n"), "\n---\n")
	var drop []string
	for _, d := range documents {
		_, name := identity(d)
		if !odd(d) {
			continue
		}
		for _, hash := range hashes.FindAllString(name, -1) {
			drop = append(drop, hash, "")
		}
	}
	for i, d := range documents {
		documents[i] = strings.NewReplacer(drop...).Replace(d)
	}
	slices.Sort(documents)
	return strings.Join(documents, "\n---\n")
}

func ofAnotherKind(document string) bool {
	kind, _ := identity(document)
	return kind != "ConfigMap" && kind != "Secret"
}

func identity(document string) (kind, name string) {
	var o struct {
		Kind     any `json:"kind"`
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	if err := yaml.Unmarshal([]byte(document), &o); err != nil {
		return "", ""
	}
	kind, _ = o.Kind.(string)
	return kind, o.Metadata.Name
}
