package label

import (
	"fmt"
	"testing"
)

func TestParsePairs(t *testing.T) {
	for _, test := range []struct {
		specs []string
		want  string
	}{
		{[]string{"a=b", "c-", "d="}, "map[a:b d:] [c]"},
		{[]string{"a=b=c"}, "invalid label spec: a=b=c"},
		{[]string{"a"}, "unknown label spec: a"},
		{[]string{"a=b", "a-"}, "can not both modify and remove a label in the same command"},
	} {
		p, err := parsePairs(test.specs)
		got := fmt.Sprint(p.Set, " ", p.Remove)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%v: got %s, want %s", test.specs, got, test.want)
		}
	}
	if _, err := parsePairs([]string{"a=b c"}); err == nil {
		t.Error("a blank is taken")
	}
}

func TestChange(t *testing.T) {
	x := []string{"x"}
	for want, sets := range map[string][2][]string{"modified": {x, x}, "labeled": {x, nil}, "unlabeled": {nil, x}, "not labeled": {}} {
		if got := change(sets[0], sets[1]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
