package kustfile

import (
	"errors"
	"slices"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// keep, as a new name, tag or digest, leaves what the file says.
const keep = "*"

var errImage = errors.New(`invalid format of image, use one of the following options:
- <image>=<newimage>:<newtag>
- <image>=<newimage>@<digest>
- <image>=<newimage>:<newtag>@<digest>
- <image>=<newimage>
- <image>:<newtag>
- <image>:<newtag>@<digest>
- <image>@<digest>`)

// ParseImages reads the arguments of "edit set image"; the last for an image counts.
func ParseImages(args []string) ([]kustomize.Image, error) {
	if len(args) == 0 {
		return nil, errors.New("no image specified")
	}
	var out []kustomize.Image
	for _, arg := range args {
		old, replacement, renamed := strings.Cut(arg, "=")
		if !renamed {
			replacement = arg
		}
		name, tag, digest := kustomize.SplitImage(replacement)
		if name == arg {
			return nil, errImage
		}
		image := kustomize.Image{Name: name, NewTag: tag, Digest: digest}
		if old != "" && renamed {
			image.Name, image.NewName = old, name
		}
		out = putImage(out, image)
	}
	return out, nil
}

func putImage(list []kustomize.Image, image kustomize.Image) []kustomize.Image {
	if i := slices.IndexFunc(list, func(o kustomize.Image) bool { return o.Name == image.Name }); i >= 0 {
		list[i] = image
		return list
	}
	return append(list, image)
}

// SetImages puts images in the place of those of the same names. Of a name that the file has twice the first stays, and the
// list is sorted by name.
func (f *File) SetImages(images []kustomize.Image) {
	for _, old := range f.Images {
		i := slices.IndexFunc(images, func(o kustomize.Image) bool { return o.Name == old.Name })
		if i < 0 {
			images = append(images, old)
			continue
		}
		fill(&images[i], old)
	}
	for i := range images {
		fill(&images[i], kustomize.Image{})
	}
	slices.SortFunc(images, func(a, b kustomize.Image) int { return strings.Compare(a.Name, b.Name) })
	f.Images = images
}

// fill takes what an image keeps from what the file says.
func fill(image *kustomize.Image, old kustomize.Image) {
	for _, field := range []struct {
		value *string
		old   string
	}{{&image.NewName, old.NewName}, {&image.NewTag, old.NewTag}, {&image.Digest, old.Digest}} {
		if *field.value == keep {
			*field.value = field.old
			image.TagSuffix = ""
		}
	}
}
