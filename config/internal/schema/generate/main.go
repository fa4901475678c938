// Command generate writes config/config.schema.json; go generate runs it in the folder config.
package main

import (
	"fmt"
	"os"

	"postier/config/internal/schema"
)

func main() {
	if err := os.WriteFile("config.schema.json", schema.Build(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
