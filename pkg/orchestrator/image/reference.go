package image

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Reference is an image's name in full, as containerd writes it: docker.io/library/redis:5.0.4.
type Reference struct {
	Host, Repository string
	Tag, Digest      string
}

// ParseReference completes what a user writes. A name with both tag and digest is its digest.
func ParseReference(ref string) (Reference, error) {
	// The library takes an id for a repository's name.
	if hex, ok := strings.CutPrefix(ref, "sha256:"); ok && len(hex) == 64 {
		return Reference{}, fmt.Errorf("couldn't parse image name %q: it is an id", ref)
	}
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return Reference{}, fmt.Errorf("couldn't parse image name %q: invalid reference format", ref)
	}
	r := Reference{Host: parsed.Context().RegistryStr(), Repository: parsed.Context().RepositoryStr()}
	if r.Host == name.DefaultRegistry {
		r.Host = "docker.io"
	}
	switch p := parsed.(type) {
	case name.Tag:
		r.Tag = p.TagStr()
	case name.Digest:
		r.Digest = p.DigestStr()
	}
	return r, nil
}

// Name is the reference without tag and digest.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

func (r Reference) String() string {
	if r.Digest != "" {
		return r.Name() + "@" + r.Digest
	}
	return r.Name() + ":" + r.Tag
}
