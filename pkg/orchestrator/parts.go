package orchestrator

import (
	"context"
	"sync"
)

// parts are the goroutines of one process. The first that ends with an error, or before its time, ends the process.
type parts struct {
	ctx    context.Context
	failed func(error)
	group  sync.WaitGroup
}

func newParts(ctx context.Context, failed func(error)) *parts {
	return &parts{ctx: ctx, failed: failed}
}

// run starts a part that lives until the parts' context ends.
func (p *parts) run(part func(ctx context.Context) error) {
	p.group.Go(func() {
		if err := part(p.ctx); err != nil && p.ctx.Err() == nil {
			p.failed(err)
		}
	})
}

func (p *parts) wait() { p.group.Wait() }
