package image

import (
	"testing"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestParseReference(t *testing.T) {
	const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for in, want := range map[string]string{
		"redis":                         "docker.io/library/redis:latest",
		"redis:5.0.4":                   "docker.io/library/redis:5.0.4",
		"docker.io/redis:5":             "docker.io/library/redis:5",
		"index.docker.io/team/app":      "docker.io/team/app:latest",
		"gcr.io/google-samples/hello:1": "gcr.io/google-samples/hello:1",
		"localhost:5000/a/b":            "localhost:5000/a/b:latest",
		"redis@" + digest:               "docker.io/library/redis@" + digest,
		"redis:5@" + digest:             "docker.io/library/redis@" + digest,
		"Redis":                         "", "a b": "", "": "", "redis:": "", digest: "",
	} {
		got, err := ParseReference(in)
		if (err != nil) != (want == "") || (err == nil && got.String() != want) {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestCredentials(t *testing.T) {
	auth := []container.RegistryAuth{{Registry: "https://index.docker.io/v1/", Username: "hub"}, {Registry: "gcr.io", Username: "all"},
		{Registry: "gcr.io/team", Username: "team"}, {Registry: "gcr.io/teams", Username: "teams"}}
	for _, test := range []struct{ host, repository, want string }{
		{"docker.io", "library/redis", "hub"}, {"gcr.io", "other/x", "all"}, {"gcr.io", "team/x", "team"}, {"gcr.io", "team", "team"},
		{"gcr.io.example.com", "x", ""}, {"quay.io", "x", ""},
	} {
		got, err := credentials(auth, test.host, test.repository).Authorization()
		if err != nil || got.Username != test.want {
			t.Errorf("%s/%s: got %q, %v", test.host, test.repository, got.Username, err)
		}
	}
}

func TestMirror(t *testing.T) {
	for in, want := range map[string]string{
		"http://127.0.0.1:5000": "127.0.0.1:5000/library/redis", "https://mirror.example/v2/": "mirror.example/library/redis",
		"https://mirror.example/v2/hub": "mirror.example/hub/library/redis", "http://localhost:1/": "localhost:1/library/redis",
		"http://10.0.0.1": "", "mirror.example": "", "ftp://127.0.0.1": "",
	} {
		got, err := mirror(in, "library/redis")
		if (err != nil) != (want == "") || (err == nil && got.repo.Name() != want) {
			t.Errorf("%s: got %q, %v", in, got.repo, err)
		}
	}
}
