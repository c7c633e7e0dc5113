package kubelet

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

const (
	collectEvery = 5 * time.Minute
	diskHigh     = 85 // per cent in use: images are removed
	diskLow      = 80 // until so much is in use
)

// collectImages removes images that no pod names when the disk grows full.
func (k *Kubelet) collectImages(ctx context.Context) {
	if k.config.Weightless {
		return
	}
	for sleep(ctx, collectEvery) {
		var disk unix.Statfs_t
		if unix.Statfs(k.config.Dir, &disk) != nil || disk.Blocks == 0 {
			continue
		}
		used := disk.Blocks - disk.Bavail
		if used*100/disk.Blocks < diskHigh {
			continue
		}
		images, err := k.config.Images.List(ctx)
		if err != nil {
			k.log.Error("list images", "error", err)
			continue
		}
		want := int64(used-disk.Blocks*diskLow/100) * disk.Bsize
		for _, image := range garbage(images, k.imagesInUse(), want) {
			if err := k.config.Images.Remove(ctx, image.ID); err != nil {
				k.events.nodeEvent(corev1.EventTypeWarning, "ImageGCFailed", err.Error())
			}
		}
		k.nudgeNode()
	}
}

// imagesInUse are the names and ids of what pods of this node use.
func (k *Kubelet) imagesInUse() map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	used := map[string]bool{}
	for _, w := range k.workers {
		pod := w.latest()
		for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range list {
				used[list[i].Image] = true
			}
		}
		s := w.status.current()
		for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
			for i := range list {
				used[list[i].Image], used[list[i].ImageID] = true, true
			}
		}
	}
	return used
}

// garbage chooses images that are not in use until their sizes reach want, the largest first.
func garbage(images []container.Image, used map[string]bool, want int64) []container.Image {
	var free []container.Image
	for _, i := range images {
		names := slices.Concat(i.RepoTags, i.RepoDigests, []string{i.ID})
		if !slices.ContainsFunc(names, func(n string) bool { return used[n] }) {
			free = append(free, i)
		}
	}
	slices.SortStableFunc(free, func(a, b container.Image) int { return int(min(max(b.Size-a.Size, -1), 1)) })
	for n := range free {
		if want -= free[n].Size; want <= 0 {
			return free[:n+1]
		}
	}
	return free
}
