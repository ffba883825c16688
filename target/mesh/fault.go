package mesh

import "context"

// fault injects the rule's fault before the call is forwarded: first the delay, then the abort. Each is drawn independently. The
// answer is nil when the call is to be forwarded.
func (c *call) fault(ctx context.Context) (delayed bool, instead *answer) {
	fault := c.rule.Fault
	if fault.Delay > 0 && c.draws.draw("fault-delay") < fault.DelayShare {
		delayed = true
		if !wait(ctx, fault.Delay) {
			a := callerLeft()
			return delayed, &a
		}
	}
	if fault.AbortStatus != 0 && c.draws.draw("fault-abort") < fault.AbortShare {
		a := proxyAnswer(fault.AbortStatus, textAborted, flagAborted, detailAborted)
		return delayed, &a
	}
	return delayed, nil
}
