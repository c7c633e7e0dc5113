package kubelet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// The waiting states of images.
const (
	errImagePull      = "ErrImagePull"
	imagePullBackOff  = "ImagePullBackOff"
	errImageNeverPull = "ErrImageNeverPull"
	invalidImageName  = "InvalidImageName"
	errImageInspect   = "ImageInspectError"
)

// pullShown is how long ErrImagePull stands before it becomes ImagePullBackOff.
const pullShown = 3 * time.Second

// puller brings images to the node: one pull of a reference at a time, and few at once.
type puller struct {
	images container.Images
	slots  chan struct{}
	mu     sync.Mutex
	going  map[string]*pull
}

type pull struct {
	done  chan struct{}
	image container.Image
	took  time.Duration
	err   error
}

func newPuller(images container.Images) *puller {
	return &puller{images: images, slots: make(chan struct{}, 4), going: map[string]*pull{}}
}

// ensure has a container's image ready, by its pull policy; otherwise it says why the container must wait.
func (p *puller) ensure(ctx context.Context, w *worker, pod *corev1.Pod, c *corev1.Container) (container.Image, *held) {
	events := w.k.events
	if err := checkImageName(c.Image); err != nil {
		message := fmt.Sprintf("Failed to apply default image tag %q: %v", c.Image, err)
		events.container(pod, c.Name, corev1.EventTypeWarning, "InspectFailed", message)
		return container.Image{}, &held{reason: invalidImageName, message: message, retry: time.Now().Add(15 * time.Second)}
	}
	if c.ImagePullPolicy != corev1.PullAlways {
		image, ok, err := p.images.Get(ctx, c.Image)
		switch {
		case err != nil:
			message := fmt.Sprintf("Failed to inspect image %q: %v", c.Image, err)
			events.container(pod, c.Name, corev1.EventTypeWarning, "InspectFailed", message)
			return image, &held{reason: errImageInspect, message: message, retry: time.Now().Add(10 * time.Second)}
		case ok:
			events.container(pod, c.Name, corev1.EventTypeNormal, "Pulled",
				fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", c.Image))
			return image, nil
		case c.ImagePullPolicy == corev1.PullNever:
			message := fmt.Sprintf("Container image %q is not present with pull policy of Never", c.Image)
			events.container(pod, c.Name, corev1.EventTypeWarning, errImageNeverPull, message)
			return image, &held{reason: errImageNeverPull, message: message, retry: time.Now().Add(15 * time.Second)}
		}
	}
	events.container(pod, c.Name, corev1.EventTypeNormal, "Pulling", fmt.Sprintf("Pulling image %q", c.Image))
	began := time.Now()
	done := p.pull(ctx, c.Image, w.k.pullSecrets(ctx, pod), nil)
	if ctx.Err() != nil {
		return done.image, &held{}
	}
	if done.err != nil {
		events.container(pod, c.Name, corev1.EventTypeWarning, "Failed", fmt.Sprintf("Failed to pull image %q: %v", c.Image, done.err))
		return done.image, w.holdPull(c.Image, done.err)
	}
	delete(w.pulls, c.Image)
	w.k.nudgeNode()
	events.container(pod, c.Name, corev1.EventTypeNormal, "Pulled",
		fmt.Sprintf("Successfully pulled image %q in %v (%v including waiting). Image size: %v bytes.", c.Image,
			done.took.Truncate(time.Millisecond), time.Since(began).Truncate(time.Millisecond), done.image.Size))
	return done.image, nil
}

// holdPull makes a container wait after a failed pull: 10 s, doubling to 300 s, for each image of the pod. Only one
// container of a pod starts at a time, so nothing else reads w.pulls.
func (w *worker) holdPull(image string, err error) *held {
	if w.pulls == nil {
		w.pulls = map[string]backoff{}
	}
	now := time.Now()
	b := w.pulls[image].next(now, now)
	w.pulls[image] = b
	retry := now.Add(b.delay)
	return &held{
		reason: errImagePull, message: err.Error(), retry: retry, shift: now.Add(pullShown),
		next: &held{reason: imagePullBackOff, message: fmt.Sprintf("%s: %s: %v", backOffPulling(image), errImagePull, err), retry: retry},
	}
}

func backOffPulling(image string) string { return fmt.Sprintf("Back-off pulling image %q", image) }

// pull fetches an image, or joins a fetch under way. The fetch goes on for the others when one of those who wait leaves.
func (p *puller) pull(ctx context.Context, ref string, auth []container.RegistryAuth, progress func(done, total int64)) *pull {
	p.mu.Lock()
	it := p.going[ref]
	if it == nil {
		it = &pull{done: make(chan struct{})}
		p.going[ref] = it
		p.mu.Unlock()
		p.fetch(ctx, it, ref, auth, progress)
		p.mu.Lock()
		delete(p.going, ref)
		p.mu.Unlock()
		close(it.done)
		return it
	}
	p.mu.Unlock()
	select {
	case <-it.done:
	case <-ctx.Done():
		return &pull{err: ctx.Err()}
	}
	if it.err != nil && ctx.Err() == nil && it.err == context.Canceled {
		return p.pull(ctx, ref, auth, progress) // its puller left
	}
	return it
}

func (p *puller) fetch(ctx context.Context, it *pull, ref string, auth []container.RegistryAuth, progress func(done, total int64)) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		it.err = ctx.Err()
		return
	}
	began := time.Now()
	it.image, it.err = p.images.Pull(ctx, ref, auth, progress)
	it.took = time.Since(began)
	if it.err != nil && ctx.Err() != nil {
		it.err = context.Canceled
	}
}

var imageName = regexp.MustCompile(`^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?/|\[[a-fA-F0-9:]+\](?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)

// checkImageName refuses what is no image reference, in the words of the real one.
func checkImageName(ref string) error {
	if imageName.MatchString(ref) {
		return nil
	}
	if imageName.MatchString(strings.ToLower(ref)) {
		repo, _, _ := strings.Cut(ref, "@")
		if colon := strings.LastIndex(repo, ":"); colon > strings.LastIndex(repo, "/") {
			repo = repo[:colon]
		}
		if !strings.Contains(repo, "/") {
			repo = "library/" + repo
		}
		return fmt.Errorf("couldn't parse image name %q: invalid reference format: repository name (%s) must be lowercase", ref, repo)
	}
	return fmt.Errorf("couldn't parse image name %q: invalid reference format", ref)
}

// pullSecrets reads the pod's pull secrets; one that is missing or broken is left out, with an event.
func (k *Kubelet) pullSecrets(ctx context.Context, pod *corev1.Pod) []container.RegistryAuth {
	var out []container.RegistryAuth
	var failed []string
	for _, ref := range pod.Spec.ImagePullSecrets {
		s, err := k.Secret(ctx, pod.Namespace, ref.Name)
		if err != nil {
			failed = append(failed, ref.Name)
			continue
		}
		out = append(out, registryAuths(s)...)
	}
	if len(failed) > 0 {
		k.events.pod(pod, corev1.EventTypeWarning, "FailedToRetrieveImagePullSecret",
			fmt.Sprintf("Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", strings.Join(failed, ", ")))
	}
	return out
}

// registryAuths reads a secret of one of docker's two formats.
func registryAuths(s *corev1.Secret) []container.RegistryAuth {
	type entry struct {
		Username      string `json:"username"`
		Password      string `json:"password"`
		Auth          string `json:"auth"`
		RegistryToken string `json:"registrytoken"`
	}
	var entries map[string]entry
	switch s.Type {
	case corev1.SecretTypeDockerConfigJson:
		var config struct {
			Auths map[string]entry `json:"auths"`
		}
		if json.Unmarshal(s.Data[corev1.DockerConfigJsonKey], &config) != nil {
			return nil
		}
		entries = config.Auths
	case corev1.SecretTypeDockercfg:
		if json.Unmarshal(s.Data[corev1.DockerConfigKey], &entries) != nil {
			return nil
		}
	}
	var out []container.RegistryAuth
	for registry, e := range entries {
		registry = strings.TrimPrefix(strings.TrimPrefix(registry, "https://"), "http://")
		a := container.RegistryAuth{Registry: strings.TrimSuffix(registry, "/"), Username: e.Username, Password: e.Password, Token: e.RegistryToken}
		if raw, err := base64.StdEncoding.DecodeString(e.Auth); err == nil && e.Auth != "" {
			a.Username, a.Password, _ = strings.Cut(string(raw), ":")
		}
		out = append(out, a)
	}
	return out
}
