// Package all lists every controller by hand. It decides only which of them a configuration needs.
package all

import (
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/deployment"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/endpoint"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/endpointslice"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/endpointslicemirroring"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/garbagecollector"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/namespace"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/nodeipam"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/nodelifecycle"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/podgc"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/replicaset"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/rootcacertpublisher"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/service"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/serviceaccount"
	"github.com/kubeskiff/skiff/pkg/orchestrator/controller/tainteviction"
)

// New makes all controllers. Start the informer factory after it, and run each controller until the end; what is left out
// for want of configuration: nodeipam without a pod range, rootcacertpublisher without a CA, and without a metadata client
// the namespace controller and the garbage collector.
func New(c controller.Context) []*controller.Controller {
	var controllers []*controller.Controller
	if c.Events == nil {
		c.Events = controller.NewEvents(c.Client)
		controllers = append(controllers, controller.Custom("events", c.Events.Run))
	}
	controllers = append(controllers,
		deployment.New(c),
		replicaset.New(c),
		endpointslice.New(c),
		endpointslicemirroring.New(c),
		endpoint.New(c),
		serviceaccount.New(c),
		nodelifecycle.New(c),
		tainteviction.New(c),
		podgc.New(c),
		service.New(c),
	)
	if c.Metadata != nil {
		controllers = append(controllers, namespace.New(c), garbagecollector.New(c))
	}
	if len(c.Config.RootCA) > 0 {
		controllers = append(controllers, rootcacertpublisher.New(c))
	}
	if c.Config.PodRange.IsValid() {
		controllers = append(controllers, nodeipam.New(c))
	}
	return controllers
}
