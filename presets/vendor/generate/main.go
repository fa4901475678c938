// Command generate writes presets/vendor/vendor.schema.json; go generate runs it in the folder presets/vendor.
package main

import (
	"fmt"
	"os"

	"postier/presets/vendor"
)

func main() {
	if err := os.WriteFile("vendor.schema.json", vendor.BuildSchema(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
