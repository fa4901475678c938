//go:build !race

package cli

// raceDetector is true in a build that looks for data races.
const raceDetector = false
