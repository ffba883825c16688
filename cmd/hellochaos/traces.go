package main

import (
	"context"

	"github.com/hellochaos/hellochaos/reports"
	"github.com/hellochaos/hellochaos/reports/traces"
)

// deliverTraces brings the traces of a report's sampled requests into a folder, unless that is empty, and to where the flags
// say. What goes wrong is a remark of the report, so this comes before the report is saved.
func deliverTraces(ctx context.Context, report *reports.Report, folder string, flags *traces.Flags) {
	if folder != "" {
		if err := traces.Save(folder, report); err != nil {
			report.Remarks = append(report.Remarks, err.Error())
		}
	}
	to, _ := flags.Destinations() // what is wrong with them was told before the run
	traces.Send(ctx, report, to)
}
