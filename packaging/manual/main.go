// Command manual writes the manual as HTML pages for a browser, made from the Markdown of docs:
//
//	go run ./packaging/manual FOLDER
//
// The same tree gives the same octets. The pages need no network and have no script.
package main

import (
	"fmt"
	"os"

	"postier/packaging/manual/site"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "go run ./packaging/manual FOLDER")
		os.Exit(64)
	}
	if err := site.Write("docs", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
