package kustomize

import (
	"math/rand/v2"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestToJSONAgainstLibrary compares on random documents.
func TestToJSONAgainstLibrary(t *testing.T) {
	rounds := plainRounds()
	random := rand.New(rand.NewPCG(2, uint64(rounds)))
	for range rounds {
		text := randomDocument(random)
		got, err := toJSON([]byte(text))
		want, errWant := yaml.YAMLToJSON([]byte(text))
		if (err == nil) != (errWant == nil) || string(got) != string(want) {
			t.Fatalf("%q:\ngot  %s %v\nwant %s %v", text, got, err, want, errWant)
		}
	}
}
