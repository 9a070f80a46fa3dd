package integration

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/act"
)

// TestAHospitalChecksWhatAHolderClaims plants a week in a holder's count, in which
// hospital 2 asked, and somebody in hospital 3's name without its key. The holder writes
// down the requests of both, and either is checked at a hospital.
func TestAHospitalChecksWhatAHolderClaims(t *testing.T) {
	t.Parallel()
	n := foundNetwork(t, 3, 3)
	h := n.Hospitals
	monday := (pseudonym.QuotaDay(uint64(time.Now().UnixMilli()))/act.DaysInWeek - 1) * act.DaysInWeek
	book, err := quota.Open(quota.Config{Dir: filepath.Join(h[0].Dir, "quota"), Now: time.Now})
	must(t, err)
	book.Advance(monday)
	for _, hospital := range []uint32{2, 3} {
		r := pseudonym.Request{Hospital: hospital, QuotaDay: monday, N: 600}
		signature := sign.Signature{MLDSA: make([]byte, sign.MLDSA65SignatureSize)}
		if hospital == 2 {
			signature, err = keysOf(t, h[1]).Request.Sign(sign.LabelRequest, r.AppendCBOR(nil))
			must(t, err)
		}
		must(t, book.Count(quota.Signed{Request: r, Signature: signature}, func(uint32) uint64 { return 600 }))
	}
	must(t, book.Close())
	n.startWithin(patience)
	n.eventually("the holder's week", func() error {
		for _, p := range h[1:] {
			if usages, err := p.Client.Usages(n.ctx); err != nil || len(usages) != 1 || usages[0].Holder != 1 {
				return fmt.Errorf("%s reads of %+v, %v", p.Node, usages, err)
			}
		}
		return nil
	})
	week := fmt.Sprint(monday / act.DaysInWeek)
	for hospital, check := range map[string]func(file string){
		"2": func(file string) { n.ok("audit", "check", file, "-c", h[1].Config()) },
		"3": func(file string) {
			n.refused(5, "no request key of the hospital signed it", "audit", "check", file, "-c", h[1].Config())
		},
	} {
		file := n.pathOf("requests-" + hospital)
		n.ok("audit", "requests", "--week", week, "--hospital", hospital, "-f", file, "-c", h[0].Config())
		check(file)
	}
}
