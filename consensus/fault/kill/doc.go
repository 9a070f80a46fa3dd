// Package kill ends the process of a test at a step that consensus/fault
// names, and has what it left looked at.
//
//	func TestARepairKilledAtAStepIsDoneAgain(t *testing.T) {
//		kill.Each(t, func(dir string) {
//			... the procedure, in dir ...
//		}, func(dir string) {
//			... what dir holds is whole, or is made whole ...
//		})
//	}
//
// The step stands in RARESYNC_STEP. integration/faults runs such a test for each
// step of docs/FAULTS.md; only a build with the tag "faults" has the steps.
package kill
