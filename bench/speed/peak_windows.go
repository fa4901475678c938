package main

import "os"

// peakOf is unknown: Windows does not tell it of a process that has ended.
func peakOf(*os.ProcessState) int64 { return 0 }
