package kubelet

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// refuse answers with a Status, whose message clients show.
func refuse(w http.ResponseWriter, code int, message string) {
	reason := map[int]metav1.StatusReason{
		http.StatusBadRequest: metav1.StatusReasonBadRequest, http.StatusNotFound: metav1.StatusReasonNotFound,
		http.StatusConflict: metav1.StatusReasonConflict, http.StatusInternalServerError: metav1.StatusReasonInternalError,
	}[code]
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // a client that has gone needs no answer
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	})
}

// ImageInfo is one image of GET /images.
type ImageInfo struct {
	ID          string   `json:"id"`
	RepoTags    []string `json:"repoTags,omitempty"`
	RepoDigests []string `json:"repoDigests,omitempty"`
	Size        int64    `json:"size"`
}

func (s *server) images(w http.ResponseWriter, r *http.Request) {
	images, err := s.k.config.Images.List(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	out := make([]ImageInfo, 0, len(images))
	for _, i := range images {
		out = append(out, imageInfo(i))
	}
	writeJSON(w, out)
}

func imageInfo(i container.Image) ImageInfo {
	return ImageInfo{ID: i.ID, RepoTags: i.RepoTags, RepoDigests: i.RepoDigests, Size: i.Size}
}

// PullProgress is one line of the answer to POST /images/pull; the last one has Image or Error.
type PullProgress struct {
	Done  int64      `json:"done"`
	Total int64      `json:"total"`
	Image *ImageInfo `json:"image,omitempty"`
	Error string     `json:"error,omitempty"`
}

// pullImage answers with a stream of PullProgress, one JSON object in each line.
func (s *server) pullImage(w http.ResponseWriter, r *http.Request) {
	ref := r.URL.Query().Get("image")
	if err := checkImageName(ref); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := make(chan PullProgress, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		enc := json.NewEncoder(&flushWriter{w: w})
		for p := range lines {
			if enc.Encode(p) != nil {
				continue // the client has gone; the pull's end is awaited all the same
			}
		}
	}()
	done := s.k.pulls.pull(r.Context(), ref, nil, func(done, total int64) {
		select {
		case lines <- PullProgress{Done: done, Total: total}:
		default: // the client is slow: it gets a later one
		}
	})
	last := PullProgress{Done: done.image.Size, Total: done.image.Size}
	if done.err != nil {
		last = PullProgress{Error: done.err.Error()}
	} else {
		info := imageInfo(done.image)
		last.Image = &info
		s.k.nudgeNode()
	}
	lines <- last
	close(lines)
	<-finished
}

// loadImages reads a tar of images from the body and answers with the names it held.
func (s *server) loadImages(w http.ResponseWriter, r *http.Request) {
	refs, err := s.k.config.Images.Load(r.Context(), r.Body)
	if err != nil {
		// Whoever still sends reads no answer: the rest is taken first.
		if _, rest := io.Copy(io.Discard, r.Body); rest != nil {
			return
		}
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	s.k.nudgeNode()
	writeJSON(w, refs)
}

func (s *server) removeImage(w http.ResponseWriter, r *http.Request) {
	ref := r.URL.Query().Get("image")
	image, ok, err := s.k.config.Images.Get(r.Context(), ref)
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	case !ok:
		refuse(w, http.StatusNotFound, fmt.Sprintf("no such image: %s", ref))
		return
	}
	used := s.k.imagesInUse()
	for _, name := range slices.Concat(image.RepoTags, image.RepoDigests, []string{image.ID}) {
		if used[name] && !isTrue(r.URL.Query().Get("force")) {
			refuse(w, http.StatusConflict, fmt.Sprintf("image %s is used by a pod of this node (--force removes it all the same)", ref))
			return
		}
	}
	if err := s.k.config.Images.Remove(r.Context(), ref); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	s.k.nudgeNode()
	w.WriteHeader(http.StatusNoContent)
}
