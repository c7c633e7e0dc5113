package run

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		o    Options
		args string
		want string
	}{
		{Options{Image: "nginx"}, "web", ""},
		{Options{Image: "r.example.com:5000/a/b:1@sha256:" + strings.Repeat("a", 64)}, "web", ""},
		{Options{Image: "nginx"}, "", "NAME is required for run"},
		{Options{}, "web", "--image is required"},
		{Options{Image: "Nginx::"}, "web", `invalid image name "Nginx::": invalid reference format`},
		{Options{Image: "nginx", TTY: true}, "web", "-i/--stdin is required for containers with -t/--tty=true"},
		{Options{Image: "nginx", Expose: true}, "web", "--port must be set when exposing a service"},
		{Options{Image: "nginx", Port: "http"}, "web", "--port must be a number"},
		{Options{Image: "nginx", Remove: true}, "web", "--rm should only be used for attached containers"},
		{Options{Image: "nginx", Attach: true, dryRun: "client"}, "web", "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"},
		{Options{Image: "nginx", Restart: "x"}, "web", "invalid restart policy: x, valid values are: Always, OnFailure, Never"},
		{Options{Image: "nginx", PullPolicy: "x"}, "web", "invalid image pull policy: x, valid values are: Always, IfNotPresent, Never"},
	} {
		err := test.o.parse(strings.Fields(test.args))
		if got := ""; err != nil {
			if got = err.Error(); got != test.want {
				t.Errorf("%+v: got %s, want %s", test.o, got, test.want)
			}
		} else if test.want != "" {
			t.Errorf("%+v is taken, want %s", test.o, test.want)
		}
	}
}

func TestPod(t *testing.T) {
	o := Options{Name: "web", Image: "nginx", Args: []string{"a"}, Env: []string{"X=1=2"}, Port: "80", Labels: "a=b,c=d", Annotations: []string{"n=v"},
		Restart: "Never", Stdin: true, Privileged: true, Overrides: `{"spec":{"nodeName":"n"}}`, OverrideType: "merge"}
	pod, err := o.pod()
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(pod.Spec)
	want := `{"containers":[{"name":"web","image":"nginx","args":["a"],"ports":[{"containerPort":80}],"env":[{"name":"X","value":"1=2"}],"resources":{},` +
		`"securityContext":{"privileged":true},"stdin":true,"stdinOnce":true}],"restartPolicy":"Never","dnsPolicy":"ClusterFirst","nodeName":"n"}`
	if err != nil || string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if pod.Labels["c"] != "d" || pod.Annotations["n"] != "v" {
		t.Errorf("got %+v", pod.ObjectMeta)
	}
	for _, bad := range []Options{{Env: []string{"1x"}}, {Labels: "a"}, {Annotations: []string{"a"}}, {Overrides: "{}", OverrideType: "x"}, {Overrides: "{", OverrideType: "merge"}} {
		if _, err := bad.pod(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
