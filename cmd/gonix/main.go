// Command gonix is all commands of the tree in one program. Called by the name
// of one of them, such as nix-instantiate, it is that command.
package main

import (
	"os"
	"path/filepath"

	"gonix/cmd/internal/cli"
)

func main() { os.Exit(cli.Main(filepath.Base(os.Args[0]), os.Args[1:])) }
