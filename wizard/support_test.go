package wizard

import "testing"

// TestReportForSupport: every failed step has one key for a report, which says where the file is; nothing else changes.
func TestReportForSupport(t *testing.T) {
	t.Parallel()
	k := known(t, Options{})
	k.password(appPassword)
	k.do(ActReport)
	if k.requested(DoReport) != 0 {
		t.Error("a report before anything failed")
	}
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	before := len(k.s.Screen().Actions)
	k.do(ActReport)
	r := k.last(DoReport)
	if !r.Secret.Empty() {
		t.Error("a report needs no secret")
	}
	k.do(ActReport) // once at a time
	k.tell(Outcome{ID: r.ID, Kind: DoReport, Done: true, File: "/home/marie/postier-report.md"})
	k.says("wizard.report.saved")
	if v := k.s.Screen(); v.Finding == nil || len(v.Actions) != before || k.requested(DoReport) != 1 {
		t.Errorf("%d reports; %+v", k.requested(DoReport), v.Actions)
	}
	k.do(ActReport)
	k.tell(Outcome{ID: k.last(DoReport).ID, Kind: DoReport, Done: true, Err: Literal("no space")})
	if v := k.s.Screen(); len(v.Notices) != 1 || v.Notices[0].Level != LevelFail {
		t.Errorf("on a full disk: %+v", v.Notices)
	}
	k = known(t, Options{})
	k.password(appPassword)
	k.s.opts.Rehearsal = true
	k.fails(DoSubmission, "smtp.auth", "wrong-password", StepCredential, FieldSecret)
	if k.offers(ActReport) {
		t.Error("a rehearsal offers a report that it would not keep")
	}
}
