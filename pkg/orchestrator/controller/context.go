package controller

import (
	"net/netip"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/record"
)

// Context is what every controller is made from.
type Context struct {
	Client    kubernetes.Interface
	Informers informers.SharedInformerFactory
	// ClientFor gives a client with the identity of one controller ("deployment-controller"); nil means Client for all.
	ClientFor func(name string) kubernetes.Interface
	// Metadata reads and deletes objects of any kind by their metadata; the garbage collector and the namespace controller
	// need it.
	Metadata metadata.Interface
	// Events is shared by all controllers; all.New makes it if it is nil.
	Events *Events
	Config Config
}

// Config holds timings and ranges; zero fields mean upstream's defaults.
type Config struct {
	// NodeMonitorGracePeriod is how long a node may be silent before its status becomes Unknown.
	NodeMonitorGracePeriod time.Duration
	// TerminatedPodThreshold is how many ended pods may stay before the oldest are deleted.
	TerminatedPodThreshold int
	// LoadBalancerRange is where the addresses of LoadBalancer services come from; invalid means there are none.
	LoadBalancerRange netip.Prefix
	// PodRange is what the nodes' pod ranges are cut from; invalid means that nodes bring their own.
	PodRange netip.Prefix
	// NodePodBits is the length of a node's pod range, 24 by default.
	NodePodBits int
	// RootCA is the PEM bundle that kube-root-ca.crt holds; empty publishes none.
	RootCA []byte
}

// WithDefaults fills in what is zero.
func (c Config) WithDefaults() Config {
	if c.NodeMonitorGracePeriod == 0 {
		c.NodeMonitorGracePeriod = 50 * time.Second
	}
	if c.TerminatedPodThreshold == 0 {
		c.TerminatedPodThreshold = 12500
	}
	if c.NodePodBits == 0 {
		c.NodePodBits = 24
	}
	return c
}

// As gives the client of a controller's identity.
func (c Context) As(name string) kubernetes.Interface {
	if c.ClientFor == nil {
		return c.Client
	}
	return c.ClientFor(name)
}

// Recorder records events from a component, such as "deployment-controller".
func (c Context) Recorder(component string) record.EventRecorder {
	return c.Events.Recorder(component)
}
