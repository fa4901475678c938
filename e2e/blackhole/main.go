// Command blackhole opens a port on a loopback address on which connecting never ends, as behind a firewall that drops.
// It prints the address and keeps the port until its standard input is closed, so that it ends with the process that
// started it.
package main

import (
	"fmt"
	"io"
	"os"

	"postier/internal/rehearsal/deadport"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: blackhole ADDRESS")
		os.Exit(64)
	}
	port, err := deadport.Blackhole(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "blackhole:", err)
		os.Exit(1)
	}
	defer port.Close()
	fmt.Println(port.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
