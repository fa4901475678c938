// Command postier sets up sending e-mail and proves that it works.
//
// This package owns flags, streams and exit codes: one file a command. It builds the parts and hands them down.
package main

import "os"

func main() {
	os.Exit(run(os.Args, streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}))
}
