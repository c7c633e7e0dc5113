package config

import (
	"reflect"
	"strings"
	"testing"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func TestParsePath(t *testing.T) {
	for path, want := range map[string]string{
		"current-context": "current-context", "clusters.a.server": "clusters|a|server", "clusters.a.b.c.server": "clusters|a.b.c|server",
		"contexts.x": "contexts|x", "users.me.exec.command": "users|me|exec|command",
		"nope.x": "unable to parse nope.x after [] at api.Config", "current-context.x": "unable to parse one or more field values",
	} {
		steps, err := parsePath(path)
		got := strings.Join(steps, "|")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestChange(t *testing.T) {
	c := clientcmdapi.NewConfig()
	set := func(path string, ch change) error {
		steps, err := parsePath(path)
		if err != nil {
			return err
		}
		return ch.apply(reflect.ValueOf(c), steps)
	}
	for path, ch := range map[string]change{
		"clusters.a.server": {value: "https://x"}, "clusters.a.insecure-skip-tls-verify": {value: "true"},
		"users.u.client-key-data": {value: "aGk="}, "users.v.client-key-data": {value: "hi", raw: true}, "users.u.exec.command": {value: "login"},
	} {
		if err := set(path, ch); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if c.Clusters["a"].Server != "https://x" || !c.Clusters["a"].InsecureSkipTLSVerify || string(c.AuthInfos["u"].ClientKeyData) != "hi" ||
		string(c.AuthInfos["v"].ClientKeyData) != "hi" || c.AuthInfos["u"].Exec.Command != "login" {
		t.Errorf("got %+v %+v", c.Clusters["a"], c.AuthInfos["u"])
	}
	for path, want := range map[string]string{
		"clusters.a": "can't set a map to a value", "clusters.a.insecure-skip-tls-verify": "strconv.ParseBool", "users.u.client-key-data": "error decoding input value",
	} {
		if err := set(path, change{value: "?"}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
	if err := set("clusters.a.server", change{unset: true}); err != nil || c.Clusters["a"].Server != "" {
		t.Error(err)
	}
	if err := set("clusters.a", change{unset: true}); err != nil || c.Clusters["a"] != nil {
		t.Error(err)
	}
	if err := set("clusters.a.server", change{unset: true}); err == nil {
		t.Error("what is not there was unset")
	}
}
