// Command gonix-build evaluates Nix expressions, builds the derivations that
// they describe and leaves a link to each result, container images included.
package main

import (
	"os"

	"gonix/cmd/internal/cli"
)

func main() { os.Exit(cli.Main("gonix-build", os.Args[1:])) }
