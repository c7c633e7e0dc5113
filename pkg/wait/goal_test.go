package wait

import (
	"encoding/json"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestGoals(t *testing.T) {
	const object = `{"metadata":{"generation":2},"spec":{"list":["a","b"],"map":{"x":"y"}},"status":{"phase":"Running","n":3,
		"conditions":[{"type":"Ready","status":"True"},{"type":"Old","status":"True","observedGeneration":1},{"type":"Off","status":"False"}]}}`
	var u unstructured.Unstructured
	if err := json.Unmarshal([]byte(object), &u.Object); err != nil {
		t.Fatal(err)
	}
	u.Object["metadata"].(map[string]any)["generation"] = int64(2)
	u.Object["status"].(map[string]any)["conditions"].([]any)[1].(map[string]any)["observedGeneration"] = int64(1)
	for goal, want := range map[string]string{
		"condition=Ready": "met", "condition=ready=true": "met", "condition=Ready=False": "not", "condition=Off=false": "met",
		"condition=Old": "not", "condition=None": "not",
		"jsonpath={.status.phase}=Running": "met", "jsonpath=.status.phase=Running": "met", "jsonpath={.status.phase}='Running'": "met",
		"jsonpath={.status.phase}": "met", "jsonpath={.status.none}": "not", "jsonpath={.status.n}=3": "met", "jsonpath={.status.n}=4": "not",
		`jsonpath={.status.conditions[?(@.type=="Ready")].status}=True`: "met",
		"jsonpath={.spec.list[*]}=a":                                    "given jsonpath expression matches more than one value",
		"jsonpath={.spec.map}=a":                                        "jsonpath leads to a nested object or list which is not supported",
		"jsonpath={.a}=b=c":                                             "jsonpath wait format must be",
		"jsonpath={.a}=":                                                "jsonpath wait has to have a value after equal sign",
		"jsonpath=":                                                     "jsonpath expression cannot be empty",
		"ready":                                                         `unrecognized condition: "ready"`,
	} {
		g, err := parseGoal(goal)
		got := "not"
		if err == nil {
			var ok bool
			if ok, err = g.met(&u); ok {
				got = "met"
			}
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", goal, got, want)
		}
	}
	for text, kind := range map[string]goalKind{"delete": gone, "Delete": gone, "create": create} {
		if g, err := parseGoal(text); err != nil || g.kind != kind {
			t.Errorf("%s: %v, %v", text, g.kind, err)
		}
	}
}

func FuzzGoal(f *testing.F) {
	f.Add("jsonpath={.a}=b")
	f.Add("condition=x=y")
	u := &unstructured.Unstructured{Object: map[string]any{"a": []any{"b", map[string]any{"c": int64(1)}}}}
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := parseGoal(text); err == nil && g.met != nil {
			_, _ = g.met(u)
		}
	})
}
