package main

import (
	"maps"
	"slices"
	"testing"
)

func TestReplay(t *testing.T) {
	j, err := newJournal(t.TempDir(), "w")
	if err != nil {
		t.Fatal(err)
	}
	l := ledger{}
	for _, c := range []struct {
		entry entry
		want  []string
		rv    string
	}{
		{entry{Outcome: attempted, Value: "1"}, []string{""}, ""},
		{entry{Outcome: unsure, Value: "1"}, []string{"", "1"}, ""},
		{entry{Outcome: refused, Value: "2"}, []string{"", "1"}, ""},
		{entry{Outcome: acknowledged, Value: "2", ResourceVersion: "7"}, []string{"2"}, "7"},
		{entry{Outcome: unsure}, []string{"", "2"}, ""},
		{entry{Outcome: acknowledged}, []string{""}, ""},
	} {
		c.entry.Kind, c.entry.Name = "ConfigMap", "a"
		if err := j.write(c.entry); err != nil {
			t.Fatal(err)
		}
		entries, err := j.unread()
		if err != nil || len(entries) != 1 {
			t.Fatalf("unread after %+v: %v, %v", c.entry, entries, err)
		}
		if _, _, err := l.replay(entries); err != nil {
			t.Fatal(err)
		}
		got := l[key{"ConfigMap", "a"}]
		if values := slices.Sorted(maps.Keys(got.values)); !slices.Equal(values, c.want) || got.rv != c.rv {
			t.Errorf("after %+v: %q at %q, want %q at %q", c.entry, values, got.rv, c.want, c.rv)
		}
	}
}

func TestReplayFindsLosses(t *testing.T) {
	made := entry{Outcome: acknowledged, Kind: "ConfigMap", Name: "a", Value: "1"}
	gone := entry{Outcome: acknowledged, Kind: "ConfigMap", Name: "a"}
	for name, entries := range map[string][]entry{
		"a write was lost":    {made, {Outcome: refused, Kind: "ConfigMap", Name: "a", Code: 404}},
		"a deletion was lost": {made, gone, {Outcome: refused, Kind: "ConfigMap", Name: "a", Value: "2", Code: 409}},
	} {
		if _, _, err := (ledger{}).replay(entries); err == nil {
			t.Errorf("%s: not found", name)
		}
	}
}
