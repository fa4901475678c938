// Package recipes holds no code: its tests carry out the recipes of CONTRIBUTING.md on a copy of the tree. After each
// of them the tests that it names pass, and the files that it changed are those that it lists.
package recipes
