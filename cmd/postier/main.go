// Command postier sets up sending e-mail and proves that it works.
package main

import (
	"os"

	"postier/internal/cli"
)

func main() { os.Exit(cli.Main()) }
