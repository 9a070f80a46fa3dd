package console

import "github.com/raresync/raresync/daemon/site"

// The roles of accounts, beside site.Admin.
const (
	Coordinator = "coordinator"
	QC          = "qc"
	Biobank     = "biobank"
	DPO         = "dpo"
	Auditor     = "auditor"
)

// Kind says who has accounts of the console. A coordinator may be limited to a
// province.
func Kind() site.Kind {
	return site.Kind{Name: "console", Roles: []string{Coordinator, QC, Biobank, DPO, Auditor, site.Admin}, Limited: Coordinator}
}
