package orchestrator

import "testing"

func TestPacer(t *testing.T) {
	const mib = 1 << 20
	p := pacer{usual: 100}
	for i, step := range []struct {
		allocated, live uint64 // MiB
		want            int
		why             string
	}{
		{500, 20, 100, "nothing is known yet"},
		{600, 20, 100, "one busy second is not enough"},
		{601, 20, 100, "it was the only one"},
		{700, 20, 100, "the first again"},
		{800, 20, 400, "the second: a small heap may grow fivefold"},
		{900, 192, 200, "a larger one by what is to spare"},
		{1000, 1000, 100, "a large one as Go has it"},
		{1001, 192, 100, "the work is over"},
	} {
		if got := p.look(heap{step.allocated * mib, step.live * mib}); got != step.want {
			t.Errorf("step %d, %s: got %d %%, want %d %%", i, step.why, got, step.want)
		}
	}
}
