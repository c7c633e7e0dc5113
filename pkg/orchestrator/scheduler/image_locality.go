package scheduler

import "strings"

const (
	minImageScore = 23 << 20
	maxImageScore = 1000 << 20 // for each container
)

// imageLocality prefers nodes that have the pod's images; an image counts the more, the more nodes have it, so that not all
// pods of an image crowd where it is.
var imageLocality = plugin{
	name:   "ImageLocality",
	weight: 1,
	score: func(c *cycle, _ []*node) scorer {
		images := imagesOf(c.pod)
		spread := c.scheduler.nodes.imageOn
		return scorer{rate: func(n *node) int64 {
			var sum int64
			for _, image := range images {
				if size, ok := n.images[image]; ok {
					sum += int64(float64(size) * float64(spread[image]) / float64(len(c.all)))
				}
			}
			most := int64(maxImageScore * len(images))
			return maxScore * (min(max(sum, minImageScore), most) - minImageScore) / (most - minImageScore)
		}}
	},
}

func imagesOf(p *podInfo) []string {
	var images []string
	for _, c := range p.pod.Spec.InitContainers {
		images = append(images, normalized(c.Image))
	}
	for _, c := range p.pod.Spec.Containers {
		images = append(images, normalized(c.Image))
	}
	for _, v := range p.pod.Spec.Volumes {
		if v.Image != nil {
			images = append(images, normalized(v.Image.Reference))
		}
	}
	return images
}

// normalized adds the tag that is meant where there is none.
func normalized(image string) string {
	if strings.LastIndex(image, ":") <= strings.LastIndex(image, "/") {
		return image + ":latest"
	}
	return image
}
