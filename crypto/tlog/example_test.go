package tlog_test

import (
	"fmt"
	"log"
	"os"

	"github.com/raresync/raresync/crypto/tlog"
)

func ExampleVerifyReceipt() {
	file, err := os.ReadFile("testdata/voters.policy")
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := os.ReadFile("testdata/receipt.tlog-proof")
	if err != nil {
		log.Fatal(err)
	}
	policy, err := tlog.ParsePolicy(file)
	if err != nil {
		log.Fatal(err)
	}
	proof, cosignatures, err := tlog.VerifyReceipt([]byte("leaf 123"), receipt, policy)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("leaf %d of %d, vouched for by\n", proof.Index, proof.Checkpoint.Size)
	for _, c := range cosignatures {
		fmt.Println(c.Name)
	}
	// Output:
	// leaf 123 of 300, vouched for by
	// example.net/rare/v/n1
	// example.net/rare/v/n3
}

func ExampleFrontier() {
	var frontier tlog.Frontier
	for i := range 300 {
		leaf := fmt.Appendf(nil, "leaf %d", i)
		frontier.Append(tlog.LeafHash(leaf), func(height uint, _ tlog.Hash) {
			if height > 0 {
				fmt.Printf("leaf %d completes a tile: one hash more at height %d\n", i, height)
			}
		})
	}
	checkpoint := tlog.Checkpoint{Origin: "example.net/rare/1", Size: frontier.Size(), Root: frontier.Root()}
	fmt.Printf("%s", checkpoint.Text())
	// Output:
	// leaf 255 completes a tile: one hash more at height 8
	// example.net/rare/1
	// 300
	// 56/ILTiUT8eTBUUygJHUWCMojB9zTL2sBjlnE+vUtdU=
}
