// Package recipes holds no code: its tests carry out the recipes of CONTRIBUTING.md on a copy of the tree. After each
// recipe, the tests that it names must pass, and the changed files must be those that it lists.
package recipes
