package mesh

import "context"

// fault injects what the rule says before the call is forwarded: the delay first, then the abort, drawn independently.
// The answer is nil when the call goes on.
func (c *call) fault(ctx context.Context) (delayed bool, instead *answer) {
	fault := c.rule.Fault
	if fault.Delay > 0 && c.draws.draw("fault-delay") < fault.DelayShare {
		delayed = true
		if !wait(ctx, fault.Delay) {
			a := left()
			return delayed, &a
		}
	}
	if fault.AbortStatus != 0 && c.draws.draw("fault-abort") < fault.AbortShare {
		a := own(fault.AbortStatus, textAborted, flagAborted, detailAborted)
		return delayed, &a
	}
	return delayed, nil
}
