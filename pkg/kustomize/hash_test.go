package kustomize

import "testing"

// TestHashOfOtherKinds: what a plugin wants a hash on need be no ConfigMap or Secret.
func TestHashOfOtherKinds(t *testing.T) {
	hash := func(text string) string {
		t.Helper()
		n, err := readDocument(text, 0)
		if err != nil {
			t.Fatal(err)
		}
		h, err := contentHash(n)
		if err != nil || len(h) != 10 {
			t.Fatalf("got %q, %v", h, err)
		}
		return h
	}
	a, b := hash("{kind: Custom, metadata: {name: x}, spec: 1}"), hash("{kind: Custom, metadata: {name: x}, spec: 2}")
	if a == b {
		t.Errorf("a change of content is no change of the hash %s", a)
	}
}
