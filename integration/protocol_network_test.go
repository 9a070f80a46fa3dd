package integration

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
	"github.com/raresync/raresync/registry/identity"
)

// The example's times in milliseconds. The act's leader has a clock behind
// that of the leader before it: log time stays where it was.
const (
	genesisTime = 1_790_000_000_000
	entriesTime = genesisTime + 60_000
	actTime     = genesisTime + 50_000
	cosignTime  = genesisTime/1000 + 61 // seconds
	networkName = "example.org/rare"
)

// exampleMember is an institution of the example with all its secrets.
type exampleMember struct {
	who                         string
	card                        founding.Card
	envelope, request, response *sign.PrivateKey
	sealing                     *seal.ReaderPrivate
	log, cosign                 *sign.PrivateKey // nil without a node
	share                       keyshare.Share
}

// exampleMaker builds the worked example stage by stage.
type exampleMaker struct {
	example *workedExample
	pinned  *workedExample // nil while the example is written anew

	members          []*exampleMember // hospitals 1 to 3, national reader 4, province reader 5
	network          [32]byte
	genesis, entries *envelope.Envelope
	unopenable       *envelope.Envelope
	founded          *state.State
	draft            *founding.Draft
	machine          *machine.Machine
	dir              string
	pseudonym        pseudonym.Pseudonym
}

func newExampleMaker(t *testing.T, pinned *workedExample) *exampleMaker {
	m := &exampleMaker{example: newWorkedExample(), pinned: pinned, dir: t.TempDir()}
	t.Cleanup(func() {
		if m.machine != nil {
			_ = m.machine.Close()
		}
	})
	return m
}

// exampleSeed is the one source of the example's secrets.
func exampleSeed(name string) [32]byte { return sha256.Sum256([]byte("raresync/example\x00" + name)) }

// exampleStream gives the random bytes that a seed determines.
type exampleStream struct {
	seed [32]byte
	n    uint64
	left []byte
}

func newExampleStream(name string) *exampleStream { return &exampleStream{seed: exampleSeed(name)} }

// Read fills p from SHA-256(seed ‖ 0), SHA-256(seed ‖ 1), ...
func (s *exampleStream) Read(p []byte) (int, error) {
	for len(s.left) < len(p) {
		block := sha256.Sum256(binary.BigEndian.AppendUint64(s.seed[:], s.n))
		s.left, s.n = append(s.left, block[:]...), s.n+1
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

func (m *exampleMaker) given(name string, value any)   { m.example.Given[name] = exampleValue(value) }
func (m *exampleMaker) derived(name string, value any) { m.example.Derived[name] = exampleValue(value) }

func exampleValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return hex.EncodeToString(v)
	}
	return fmt.Sprint(v)
}

// pinValue returns the pinned bytes of a random value, or fresh ones.
func (m *exampleMaker) pinValue(t *testing.T, name string, fresh func() []byte) []byte {
	t.Helper()
	b := []byte(nil)
	if m.pinned == nil {
		b = fresh()
	} else {
		b = unhexLines(t, []byte(m.pinned.Given[name]))
	}
	m.given(name, b)
	return b
}

// pinEnvelope returns the pinned bytes of an envelope, or fresh ones.
func (m *exampleMaker) pinEnvelope(t *testing.T, file string, fresh func() *envelope.Envelope) *envelope.Envelope {
	t.Helper()
	var raw []byte
	if m.pinned == nil {
		raw = fresh().Marshal()
	} else {
		raw = unhexLines(t, m.pinned.files[file])
	}
	e, err := envelope.Decode(raw)
	must(t, err)
	m.example.files[file] = hexLines(e.Marshal())
	return e
}

// sameButRandom compares an envelope made from seeds with the pinned one:
// everything but the ML-DSA half of the signature, which is hedged.
func (m *exampleMaker) sameButRandom(t *testing.T, rebuilt, pinned *envelope.Envelope) {
	t.Helper()
	if !bytes.Equal(rebuilt.HeaderBytes, pinned.HeaderBytes) {
		t.Errorf("header\n%x, want\n%x", rebuilt.HeaderBytes, pinned.HeaderBytes)
	}
	if rebuilt.Signature.Ed25519 != pinned.Signature.Ed25519 {
		t.Error("Ed25519 signature differs")
	}
	for i := range pinned.Bodies {
		if got, want := rebuilt.Bodies[i], pinned.Bodies[i]; got.Salt != want.Salt || got.Tag != want.Tag || !bytes.Equal(got.Ciphertext, want.Ciphertext) {
			t.Errorf("body %d differs", i)
		}
	}
}

func (m *exampleMaker) describe(name string, e *envelope.Envelope) {
	id, bodies := e.ID(), e.BodiesHash
	m.derived(name+".id", id[:])
	m.derived(name+".bodies_hash", bodies[:])
	for i, c := range e.Commitments() {
		m.derived(fmt.Sprintf("%s.commitment.%d", name, i), c[:])
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *exampleMaker) makeKeys(t *testing.T) {
	m.given("network_name", networkName)
	for _, i := range []struct {
		who string
		act.Institution
	}{
		{"h1", act.Institution{Role: act.RoleHospital, Entity: "entity-1", NameZH: "第一医院", NameEN: "First Hospital", Province: "11", Lead: true}},
		{"h2", act.Institution{Role: act.RoleHospital, Entity: "entity-2", NameZH: "第二医院", NameEN: "Second Hospital", Province: "31", Lead: true}},
		{"h3", act.Institution{Role: act.RoleHospital, Entity: "entity-3", NameZH: "第三医院", NameEN: "Third Hospital", Province: "44", Lead: true}},
		{"national", act.Institution{Role: act.RoleReader, Entity: "entity-4", NameZH: "国家协调中心", NameEN: "National Centre", Rights: act.RightNational | act.RightGenetics}},
		{"province", act.Institution{Role: act.RoleReader, Entity: "entity-5", NameZH: "省级中心", NameEN: "Province Centre", Province: "11", Rights: act.RightProvince}},
	} {
		m.members = append(m.members, m.newMember(t, i.who, i.Institution))
	}
}

func (m *exampleMaker) newMember(t *testing.T, who string, i act.Institution) *exampleMember {
	t.Helper()
	key := func(p sign.Purpose) *sign.PrivateKey {
		name := who + "/" + p.String()
		k := sign.NewFromSeeds(p, exampleSeed(name+"/ed25519"), exampleSeed(name+"/mldsa"))
		id := k.Public().ID()
		m.derived("key."+who+"."+p.String(), id[:])
		return k
	}
	e := &exampleMember{who: who, envelope: key(sign.PurposeEnvelope), request: key(sign.PurposeRequest), response: key(sign.PurposeResponse)}
	var err error
	e.sealing, err = seal.NewReaderFromSeed(exampleSeed(who + "/sealing"))
	must(t, err)
	id := e.sealing.Public().ID()
	m.derived("key."+who+".sealing", id[:])
	i.Envelope, i.Request, i.Response, i.Sealing = e.envelope.Public(), e.request.Public(), e.response.Public(), e.sealing.Public()
	e.card.Institution = i
	if who == "province" {
		return e // reads through another's node
	}
	node := act.Node{ID: who, Kind: act.Mirror}
	if i.Role == act.RoleHospital {
		node.Kind, node.Addresses = act.Voter, []string{who + ".example.org:8470"}
	}
	e.log, e.cosign = key(sign.PurposeLog), key(sign.PurposeCosign)
	node.TLS, node.Log, node.Cosign = key(sign.PurposeTLS).Public(), e.log.Public(), e.cosign.Public()
	e.card.Nodes = []act.Node{node}
	return e
}

func (m *exampleMaker) makeGenesis(t *testing.T) {
	var cards []founding.Card
	for _, member := range m.members {
		cards = append(cards, member.card)
	}
	var err error
	domain := exampleSeed("domain")
	m.draft, err = founding.NewDraft(founding.Plan{
		Dealt: true,
		Name:  networkName, Demo: true, Policy: act.DefaultPolicy(), Cards: cards,
		Identity:  pseudonym.Params{KDF: pseudonym.KDFArgon2id, Salt: [16]byte(domain[:16]), Time: 1, MemoryKiB: 64, Parallelism: 1},
		Catalogue: act.Catalogue{Edition: "example/1", Hash: exampleSeed("catalogue")},
	}, newExampleStream("deal"))
	must(t, err)
	m.network = m.draft.Act.NetworkID()
	card := sha256.Sum256(cards[0].Marshal())
	m.derived("card.sha256", card[:])
	m.derived("network", m.network[:])

	link := envelope.Link{Network: m.network, Hospital: 1, Sequence: 1, Attempt: 1, SignedAt: genesisTime}
	m.genesis = m.pinEnvelope(t, "genesis.hex", func() *envelope.Envelope {
		var approvals []act.Approval
		for i, member := range m.members {
			p, err := m.draft.Approve(uint32(i+1), member.envelope)
			must(t, err)
			approvals = append(approvals, p)
		}
		e, err := m.draft.Finish(approvals, genesisTime, m.members[0].envelope)
		must(t, err)
		return e
	})
	pinnedAct, err := act.Decode(m.genesis.Bodies[0].Ciphertext)
	must(t, err)
	if got, want := pinnedAct.Core(), m.draft.Act.Core(); !bytes.Equal(got, want) {
		t.Errorf("genesis act\n%x, want\n%x", got, want)
	}
	for i := range pinnedAct.Approvals {
		again, err := m.draft.Approve(uint32(i+1), m.members[i].envelope)
		must(t, err)
		if again.Signature.Ed25519 != pinnedAct.Approvals[i].Signature.Ed25519 {
			t.Errorf("Ed25519 half of approval %d differs", i+1)
		}
	}
	rebuilt, err := envelope.BuildAct(link, pinnedAct.Marshal(), m.members[0].envelope)
	must(t, err)
	m.sameButRandom(t, rebuilt, m.genesis)
	m.founded, _, err = state.Found(m.genesis) // verifies every signature
	must(t, err)
	m.describe("genesis", m.genesis)
}

func (m *exampleMaker) makePseudonym(t *testing.T) {
	today := identity.Date{Year: 2026, Month: 9, Day: 21}
	// The number that GB 11643-1999 prints as its sample.
	typed := " 110105-19491231002x"
	m.given("identity.typed", typed)
	id, _, err := identity.Normalize(identity.Document{Type: identity.RIC, Value: typed}, identity.Options{Today: today})
	must(t, err)
	h := m.founded.Identity.Stretch(id.X())
	input := m.founded.Identity.Input(h)
	m.derived("identity.x", id.X())
	m.given("identity.h", h[:])
	m.derived("oprf.input", input)

	public, keyID := m.founded.OPRF.PublicKey(), m.founded.OPRF.KeyID
	m.derived("oprf.public_key", public[:])
	m.derived("oprf.key_id", keyID[:])
	_, shares, err := keyshare.DealAll(3, 2, newExampleStream("deal"))
	must(t, err)
	blinding, elements, err := pseudonym.Blind([][]byte{input})
	must(t, err)
	var parts []pseudonym.Part
	for i := range shares {
		shares[i].KeyID = keyID
		m.members[i].share = shares[i]
		scalar, holder := shares[i].Scalar.Reveal(), uint16(i+1)
		m.derived(fmt.Sprintf("oprf.share.%d", holder), scalar[:])
		if holder == 2 {
			continue // any two of the three do
		}
		req := m.request(holder, elements)
		evaluated, proof, err := pseudonym.Evaluate(shares[i], req, elements)
		must(t, err)
		part, err := pseudonym.VerifyEvaluation(m.founded.OPRF, req, elements, evaluated, proof)
		must(t, err)
		parts = append(parts, part)
	}
	out, err := blinding.Finalize(m.founded.OPRF, parts)
	must(t, err)
	m.pseudonym = out[0]
	m.derived("pseudonym", out[0][:])
	m.derived("case_number", pseudonym.NewCaseNumber(exampleSeed("h1/handle"), m.pseudonym).String())

	record, _, err := identity.Normalize(identity.Document{Type: identity.LOCAL, Issuer: "mrn", Value: "0000 4711"}, identity.Options{Today: today})
	must(t, err)
	local := pseudonym.Local(exampleSeed("h1/local"), record.LocalKey())
	m.derived("pseudonym.local", local[:])
}

func (m *exampleMaker) request(holder uint16, elements [][32]byte) pseudonym.Request {
	id := exampleSeed("request")
	return pseudonym.Request{
		Network: m.network, KeyID: m.founded.OPRF.KeyID, Epoch: 1, Holder: holder, Hospital: 1,
		RequestID: [16]byte(id[:16]), QuotaDay: pseudonym.QuotaDay(cosignTime * 1000), N: uint16(len(elements)),
		ElementsHash: pseudonym.HashElements(elements),
	}
}

// rfc9497 is the published vector whose blinded elements the example sends.
type rfc9497 struct {
	SkSm    string `json:"skSm"`
	Vectors []struct{ Input, Blind, BlindedElement, EvaluationElement, Output string }
}

func (m *exampleMaker) makeEvaluations(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "crypto", "pseudonym", "testdata", "rfc9497-ristretto255-sha512-oprf.json"))
	must(t, err)
	var published rfc9497
	must(t, json.Unmarshal(raw, &published))
	m.given("rfc9497.sk", published.SkSm)
	var elements [][32]byte
	for i, v := range published.Vectors {
		name := fmt.Sprintf("rfc9497.%d.", i)
		m.given(name+"input", v.Input)
		m.given(name+"blind", v.Blind)
		m.given(name+"blinded", v.BlindedElement)
		m.derived(name+"evaluated", v.EvaluationElement)
		m.derived(name+"output", v.Output)
		elements = append(elements, [32]byte(unhexLines(t, []byte(v.BlindedElement))))
	}
	for _, holder := range []uint16{1, 2} {
		m.makeEvaluation(t, holder, elements)
	}
}

func (m *exampleMaker) makeEvaluation(t *testing.T, holder uint16, elements [][32]byte) {
	t.Helper()
	name := func(what string) string { return fmt.Sprintf("toprf.%s.%d", what, holder) }
	req := m.request(holder, elements)
	evaluated, fresh, err := pseudonym.Evaluate(m.members[holder-1].share, req, elements)
	must(t, err)
	proof := [64]byte(m.pinValue(t, name("proof"), func() []byte { return fresh[:] }))
	_, err = pseudonym.VerifyEvaluation(m.founded.OPRF, req, elements, evaluated, proof)
	must(t, err)
	response := pseudonym.NewResponse(req, evaluated, proof)
	m.derived(name("request"), req.AppendCBOR(nil))
	m.derived(name("evaluated"), slices.Concat(evaluated[0][:], evaluated[1][:]))
	m.derived(name("response"), response.AppendCBOR(nil))
	m.signed(t, name("request_ed25519"), m.members[0].request, sign.LabelRequest, req.AppendCBOR(nil))
	m.signed(t, name("response_ed25519"), m.members[holder-1].response, sign.LabelResponse, response.AppendCBOR(nil))
}

// signed records the Ed25519 half of a signature, which is always the same,
// and sees that both halves verify.
func (m *exampleMaker) signed(t *testing.T, name string, key *sign.PrivateKey, label sign.Label, message []byte) {
	t.Helper()
	sig, err := key.Sign(label, message)
	must(t, err)
	must(t, key.Public().Verify(label, message, sig))
	m.derived(name, sig.Ed25519[:])
}

func (m *exampleMaker) exampleEntries(t *testing.T) []envelope.Plain {
	t.Helper()
	key := exampleSeed("h1/entry-id")
	caseID := entry.ID(key, entry.TypeCase, "example-0001", exampleSeed("content"))
	feature := entry.Term{ID: "HP:0001166", Label: "Arachnodactyly"}
	registration := entry.Entry{
		Type: entry.TypeCase, Profile: entry.Report, ID: caseID,
		Pseudonym: entry.Pseudonym{Present: true, Value: m.pseudonym}, Strength: entry.StrengthStrong,
		EventDate: entry.Date{Year: 2026, Month: 9, Day: 1}, Source: entry.SourcePhenopacket, Basis: entry.BasisStatutory,
		Facts: entry.Facts{Case: &entry.Case{
			Diseases:     []entry.Disease{{Codes: []string{"ORPHA:558"}, Text: "Marfan syndrome", Onset: entry.When{Kind: entry.WhenAge, A: "P30Y"}}},
			Verification: entry.Genetic, Sex: entry.SexFemale, Birth: entry.Date{Year: 1949, Month: 12},
			Life: entry.Life{Status: entry.Alive}, Department: "Cardiology", Province: "11",
			Features: []entry.Feature{{Type: feature, Onset: entry.When{Kind: entry.WhenUndetermined}}},
		}},
	}
	genetics := registration
	genetics.Type, genetics.Case = entry.TypeGenetics, nil
	genetics.ID = entry.ID(key, entry.TypeGenetics, "example-0001", exampleSeed("content"))
	genetics.Genetics = &entry.Genetics{
		Case: caseID, Test: entry.TestExome, Stated: entry.Causative,
		Interpretations: []entry.Interpretation{{
			Progress: entry.ProgressSolved, Disease: entry.Term{ID: "ORPHA:558", Label: "Marfan syndrome"},
			Variants: []entry.Variant{{
				Standing: entry.StandingCausative, ACMG: entry.ACMGPathogenic, Gene: entry.Term{ID: "HGNC:3603", Label: "FBN1"},
				Expressions: []entry.Expression{{Syntax: "hgvs.c", Value: "NM_000138.5:c.1A>G"}},
			}},
		}},
	}
	clinical, err := entry.Encode(registration)
	must(t, err)
	genetic, err := entry.Encode(genetics)
	must(t, err)
	m.derived("entry.case", clinical)
	m.derived("entry.genetics", genetic)
	m.decided(t, key, registration)
	return []envelope.Plain{{Part: seal.Clinical, CBOR: clinical}, {Part: seal.Genetic, CBOR: genetic}}
}

// decided makes the consent with which the patient withdraws, and a correction of
// the case, neither of which is in the example's log.
func (m *exampleMaker) decided(t *testing.T, key [32]byte, registration entry.Entry) {
	t.Helper()
	mark := entry.Mark(key, m.pseudonym)
	c := entry.Consent{Status: entry.Erasing, Scope: entry.ScopeAll, By: entry.BySelf, Marks: [][32]byte{mark}, Indexes: []uint64{1, 2}}
	id, err := entry.ConsentID(key, c, [32]byte{})
	must(t, err)
	consent, err := entry.Encode(entry.Entry{
		Type: entry.TypeConsent, Profile: entry.Report, ID: id, EventDate: entry.Date{Year: 2026, Month: 9, Day: 22},
		Source: entry.SourceForm, Basis: entry.BasisStatutory, Consent: &c,
	})
	must(t, err)
	right, moved := registration, *registration.Case
	moved.Department, right.Case = "Neurology", &moved
	e, err := entry.Correct(key, 1, registration, right, entry.Mistyped, [32]byte{})
	must(t, err)
	correction, err := entry.Encode(e)
	must(t, err)
	m.derived("entry.mark", mark[:])
	m.derived("entry.consent", consent)
	m.derived("entry.correction", correction)
}

func (m *exampleMaker) makeEntries(t *testing.T) {
	plains := m.exampleEntries(t)
	set, ok := m.founded.ReadersFor(1)
	if !ok {
		t.Fatal("no readers")
	}
	link := envelope.Link{Network: m.network, Hospital: 1, Sequence: 2, Attempt: 1, Previous: m.genesis.ID(), SignedAt: entriesTime}
	var places []uint32
	build := func() *envelope.Envelope {
		e, at, err := envelope.BuildEntries(link, set, plains, m.members[0].envelope, newExampleStream("seal"))
		must(t, err)
		places = at
		return e
	}
	m.entries = m.pinEnvelope(t, "entries.hex", build)
	m.sameButRandom(t, withWrapsOf(t, build(), m.entries, m.members[0].envelope), m.entries)
	m.derived("entries.context", m.entries.Context().Append(nil))
	m.given("entries.places", fmt.Sprint(places))
	m.describe("entries", m.entries)
	for i, b := range m.entries.Bodies {
		m.given(fmt.Sprintf("entries.salt.%d", i), b.Salt[:])
		m.derived(fmt.Sprintf("entries.tag.%d", i), b.Tag[:])
	}
	m.openEntries(t, plains, places)
}

// withWrapsOf returns the envelope with the wraps of another, signed again:
// encapsulation is random and cannot be repeated.
func withWrapsOf(t *testing.T, e, pinned *envelope.Envelope, key *sign.PrivateKey) *envelope.Envelope {
	t.Helper()
	h := e.Header
	h.Wraps = pinned.Wraps
	sig, err := key.Sign(h.Kind.Label(), h.Marshal())
	must(t, err)
	e, err = envelope.Assemble(h.Marshal(), sig, e.Bodies)
	must(t, err)
	return e
}

// openEntries opens the envelope as each institution and looks at who can read
// what.
func (m *exampleMaker) openEntries(t *testing.T, plains []envelope.Plain, places []uint32) {
	t.Helper()
	e := m.entries
	own, err := e.Context().Unwrap(m.members[0].sealing, e.Wraps[0], e.CommitC, e.CommitG)
	must(t, err)
	m.given("entries.kek_c", own.Clinical[:])
	m.given("entries.kek_g", own.Genetic[:])
	m.derived("entries.kek_commit_c", e.CommitC[:])
	m.derived("entries.kek_commit_g", e.CommitG[:])
	for who, want := range []seal.Rights{{Clinical: true, Genetic: true}, {}, {}, {Clinical: true, Genetic: true}, {Clinical: true}} {
		opened, err := e.Open(m.members[who].sealing, want)
		if !want.Clinical {
			if err == nil {
				t.Errorf("%s opened what is not sealed to it", m.members[who].who)
			}
			continue
		}
		must(t, err)
		read := 0
		for _, o := range opened {
			i := slices.Index(places, o.Place)
			if o.Err != nil || o.Part != plains[i].Part || !bytes.Equal(o.CBOR, plains[i].CBOR) {
				t.Errorf("%s, place %d: opened %d bytes as %s, %v", m.members[who].who, o.Place, len(o.CBOR), o.Part, o.Err)
			}
			read++
		}
		if read == 2 != want.Genetic {
			t.Errorf("%s read %d entries", m.members[who].who, read)
		}
	}
}

func (m *exampleMaker) makeAct(t *testing.T) {
	u := act.Unopenable{Envelope: 1, Place: act.WholeEnvelope, Reader: m.members[3].sealing.Public().ID(), Code: "SEAL003"}
	a := act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: u.Marshal()}
	link := envelope.Link{Network: m.network, Hospital: 4, Sequence: 1, Attempt: 1, SignedAt: actTime}
	build := func() *envelope.Envelope {
		e, err := envelope.BuildAct(link, a.Marshal(), m.members[3].envelope)
		must(t, err)
		return e
	}
	m.unopenable = m.pinEnvelope(t, "act.hex", build)
	m.sameButRandom(t, build(), m.unopenable)
	m.derived("act.cbor", a.Marshal())
	m.describe("act", m.unopenable)
	backup := act.SaltsBackup{Node: "h1", Size: 4, Expiry: entriesTime + 90*86_400_000}
	declared := act.Act{Version: act.Version, Type: act.TypeSaltsBackup, Payload: backup.Marshal()}
	m.derived("act.salts_backup", declared.Marshal())
	m.makeErasure()
	m.makeAdmission()
}

// makeErasure derives the act that withdraws the example's entries, and a
// node's receipt for it.
func (m *exampleMaker) makeErasure() {
	w := act.Withdrawal{Hospital: 1, Entries: []act.Span{{First: 1, Count: 2}}}
	withdrawn := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: w.Marshal()}
	m.derived("act.withdrawal", withdrawn.Marshal())
	r := act.ErasureReceipt{Node: "h1", Through: 3, Index: 4}
	receipt := act.Act{Version: act.Version, Type: act.TypeErasureReceipt, Payload: r.Marshal()}
	m.derived("act.erasure_receipt", receipt.Marshal())
}

// makeAdmission derives what lead hospitals would sign to let hospital 3 in, if
// it were no founder.
func (m *exampleMaker) makeAdmission() {
	late := m.members[2].card
	mirror := late.Nodes[0]
	mirror.Institution, mirror.Kind, mirror.Addresses = 6, act.Mirror, nil
	payload := act.Admission{Institution: late.Institution, Nodes: []act.Node{mirror}}
	a := act.Act{Version: act.Version, Type: act.TypeAdmission, RosterVersion: 1, Expiry: entriesTime + 7*86_400_000, Payload: payload.Marshal()}
	core := sha256.Sum256(a.Core())
	m.derived("act.admission_core.sha256", core[:])
	proposal := act.Act{Version: act.Version, Type: act.TypeProposal, Payload: act.Proposal{Core: a.Core(), Reason: "joins"}.Marshal()}
	whole := sha256.Sum256(proposal.Marshal())
	m.derived("act.proposal.sha256", whole[:])
	id := act.ProposalID(m.network, a.Core())
	m.derived("act.proposal_id", id[:])
}

func (m *exampleMaker) makeLedger(t *testing.T) {
	var err error
	m.machine, err = machine.Open(m.dir, m.genesis)
	must(t, err)
	for i, e := range []*envelope.Envelope{m.entries, m.unopenable} {
		out, err := m.machine.Apply(e.Marshal(), []uint64{entriesTime, actTime}[i])
		must(t, err)
		if out.Refusal != nil || out.LogTime != entriesTime || out.Number != uint64(i+1) {
			t.Fatalf("envelope %d: %+v", i+1, out)
		}
	}
	view := m.machine.View()
	for index := range view.Tree.Size() {
		leaf, err := m.machine.Ledger().Leaf(index)
		must(t, err)
		hash := tlog.LeafHash(leaf)
		m.derived(fmt.Sprintf("log.leaf.%d", index), leaf)
		m.derived(fmt.Sprintf("log.leaf_hash.%d", index), hash[:])
		root, err := m.machine.RootAt(index + 1)
		must(t, err)
		m.derived(fmt.Sprintf("log.root.%d", index+1), root[:])
	}
	snapshot, err := m.machine.Snapshot()
	must(t, err)
	digest := sha256.Sum256(snapshot.Marshal())
	m.derived("snapshot.sha256", digest[:])
	m.derived("snapshot.bytes", len(snapshot.Marshal()))
	for _, name := range []string{"leaves", "hashes.0", "envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"} {
		raw, err := os.ReadFile(filepath.Join(m.dir, "ledger", name))
		must(t, err)
		digest := sha256.Sum256(raw)
		m.derived("ledger."+name+".sha256", digest[:])
	}
}

func (m *exampleMaker) makeCheckpoint(t *testing.T) {
	view := m.machine.View()
	policy, err := consensus.PolicyOf(view)
	must(t, err)
	m.example.files["voters.policy"] = policy.Marshal()
	cp := tlog.Checkpoint{Origin: consensus.Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()}
	m.derived("checkpoint.text", cp.Text())

	sc := tlog.SignedCheckpoint{Checkpoint: cp}
	leader, err := tlog.NewLogSigner(cp.Origin, m.members[0].log.Ed25519())
	must(t, err)
	line, err := leader.Sign(cp)
	must(t, err)
	sc.Signatures = append(sc.Signatures, line)
	for _, voter := range m.members[:2] {
		c, err := tlog.NewCosigner(consensus.CosignerName(view, voter.who), voter.cosign.Ed25519(), voter.cosign.MLDSA44())
		must(t, err)
		lines, err := c.Cosign(cp, cosignTime)
		must(t, err)
		sc.Signatures = append(sc.Signatures, lines...)
	}
	m.pinNote(t, &sc)
	_, err = policy.Verify(sc)
	must(t, err)
	m.verifyMessages(t, sc)

	hashes, err := tlog.InclusionProof(m.machine.Ledger(), 1, cp.Size)
	must(t, err)
	leaf, err := m.machine.Ledger().Leaf(1)
	must(t, err)
	receipt := tlog.Proof{Index: 1, Hashes: hashes, Checkpoint: sc}.Marshal()
	_, cosigners, err := tlog.VerifyReceipt(leaf, receipt, policy)
	must(t, err)
	if len(cosigners) != 2 {
		t.Errorf("%d cosigners, want 2", len(cosigners))
	}
	m.example.files["receipt.tlog-proof"] = receipt
}

// pinNote takes the ML-DSA cosignatures, which are hedged, from the pinned
// note, and compares the rest.
func (m *exampleMaker) pinNote(t *testing.T, sc *tlog.SignedCheckpoint) {
	t.Helper()
	const ed25519Cosignature = 8 + ed25519.SignatureSize
	if m.pinned != nil {
		pinned, err := tlog.ParseSignedCheckpoint(m.pinned.files["checkpoint.note"])
		must(t, err)
		for i := range sc.Signatures {
			if len(sc.Signatures[i].Blob) > ed25519Cosignature {
				sc.Signatures[i].Blob = pinned.Signatures[i].Blob
			}
		}
	}
	m.example.files["checkpoint.note"] = sc.Marshal()
}

// verifyMessages spells out what voter h1 signs as a cosigner and verifies
// both of its cosignatures with the algorithms alone.
func (m *exampleMaker) verifyMessages(t *testing.T, sc tlog.SignedCheckpoint) {
	t.Helper()
	name := networkName + "/v/h1"
	first := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", cosignTime, sc.Text())
	second := append([]byte("subtree/v1\n\x00"), byte(len(name)))
	second = append(second, name...)
	second = binary.BigEndian.AppendUint64(second, cosignTime)
	second = append(append(second, byte(len(sc.Origin))), sc.Origin...)
	second = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(second, 0), sc.Size)
	second = append(second, sc.Root[:]...)
	m.derived("cosign.h1.ed25519_message", first)
	m.derived("cosign.h1.mldsa_message", second)
	key := m.members[0].cosign.Public()
	if !ed25519.Verify(key.Ed25519(), first, sc.Signatures[1].Blob[8:]) {
		t.Error("Ed25519 cosignature is over another message")
	}
	if !mldsa44.Verify(key.MLDSA44(), second, nil, sc.Signatures[2].Blob[8:]) {
		t.Error("ML-DSA-44 cosignature is over another message")
	}
}
