// Package cli is the program: it knows which commands there are, makes the one that was called, and puts the end of a
// run into words and an exit code. The commands are in the packages below it.
package cli

import (
	"os"

	"postier/internal/cli/command"
)

// Main runs the program on the arguments, streams and environment of the process and returns its exit code.
func Main() int {
	adoptHome()
	return run(os.Args, command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}
