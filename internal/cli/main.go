// Package cli is the command line: flags, streams and exit codes, one file a command. It builds the parts and hands
// them down.
package cli

import (
	"os"

	"postier/internal/cli/command"
)

// Main runs the program on the arguments, streams and environment of the process and returns its exit code.
func Main() int {
	return run(os.Args, command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv})
}
