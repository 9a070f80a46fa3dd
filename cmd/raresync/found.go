package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

func foundCommand() *cli.Command {
	return &cli.Command{
		Name:  "found",
		Usage: "found a network: draft, approve, finish, adopt",
		Description: "Every founder runs `init` and sends its card to one of them, who drafts. Each founder reads\n" +
			"and approves the draft; hospital 1 finishes it with all approvals; every node adopts the\n" +
			"genesis. The files are public text and may travel by mail.",
		Subcommands: []*cli.Command{foundDraftCommand(), foundApproveCommand(), foundFinishCommand(), foundAdoptCommand()},
	}
}

// maxFoundingBytes bounds a card, draft, approval or genesis file.
const maxFoundingBytes = 1 << 20

func readPublic(path string) ([]byte, error) { return readUpTo(path, maxFoundingBytes) }

func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = coded{exitInvalid, fmt.Errorf("%s is larger than %d bytes", path, limit)}
	}
	return raw, err
}

// invalid marks an error as one of the input.
func invalid(path string, err error) error {
	return coded{exitInvalid, fmt.Errorf("%s: %w", path, err)}
}

func readDraft(path string) (*founding.Draft, error) {
	raw, err := readPublic(path)
	if err != nil {
		return nil, err
	}
	d, err := founding.ParseDraft(raw)
	if err != nil {
		return nil, invalid(path, err)
	}
	return d, nil
}

// founder is one institution of a genesis as people compare it.
type founder struct {
	Number   int      `json:"number"`
	Role     string   `json:"role"`
	NameZH   string   `json:"name_zh"`
	NameEN   string   `json:"name_en"`
	Entity   string   `json:"entity"`
	Province string   `json:"province"`
	Lead     bool     `json:"lead"`
	Rights   string   `json:"rights"`
	Nodes    []string `json:"nodes"`
	Quota    *uint64  `json:"quota"`  // persons a day, at each holder; nil of a reader
	KeyID    string   `json:"key_id"` // of the envelope key
}

// network is what a genesis founds, as people compare it.
type network struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	Demo      bool      `json:"demo"`
	Quorum    uint64    `json:"quorum"`
	MinCell   uint64    `json:"min_cell"`
	Quota     uint64    `json:"quota"` // persons a day for each hospital that has none of its own, at each holder
	Catalogue string    `json:"catalogue"`
	Shares    string    `json:"shares"`
	Founders  []founder `json:"founders"`
}

func networkOf(v voice, id [32]byte, g *act.Genesis) network {
	n := network{
		Name: g.Name, ID: fmt.Sprintf("%x", id), Demo: g.Demo, Quorum: g.Quorum, MinCell: g.Policy.MinCell, Quota: g.Policy.QuotaFloor,
		Catalogue: g.Catalogue.Edition,
		Shares:    v.say("%d of %d needed, %s", "%[2]d 个中需要 %[1]d 个，%[3]s", keyshare.Threshold(len(g.Holders)), len(g.Holders), keyOrigin(v, g)),
	}
	for i := range g.Institutions {
		one := &g.Institutions[i]
		f := founder{
			Number: i + 1, Role: one.Role.String(), NameZH: one.NameZH, NameEN: one.NameEN, Entity: one.Entity,
			Province: one.Province, Lead: one.Lead, Rights: one.Rights.String(), KeyID: one.Envelope.ID().String(),
		}
		if quota := g.Policy.QuotaOf(uint32(i + 1)); one.Role == act.RoleHospital {
			f.Quota = &quota
		}
		for _, node := range g.Nodes {
			if int(node.Institution) == i+1 {
				f.Nodes = append(f.Nodes, fmt.Sprintf("%s (%s)", node.ID, v.cell("kind", node.Kind.String())))
			}
		}
		n.Founders = append(n.Founders, f)
	}
	return n
}

// keyOrigin says how the pseudonymisation key comes to be.
func keyOrigin(v voice, g *act.Genesis) string {
	if g.OPRF.Holders == 0 {
		return v.say("of a key that a ceremony makes", "密钥由密钥仪式生成")
	}
	return v.say("of a key that was dealt", "密钥由一方分发")
}

// printNetwork shows a network with its founders to a person.
func printNetwork(c *cli.Context, w io.Writer, n network) error {
	out, err := term.New(w, "table")
	if err != nil {
		return err
	}
	out.Speak(tableWords(c))
	if err := term.PrintOne(out, n, "name", "id", "demo", "quorum", "min_cell", "quota", "catalogue", "shares"); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return term.Print(out, n.Founders, "number", "role", "name_zh", "name_en", "entity", "province", "lead", "rights", "nodes", "quota", "key_id")
}
