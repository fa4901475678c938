// Package lookup holds the commands that answer without an account: where an address is served (discover), what a code
// or a reply means (explain), and what to do at a provider (guide).
package lookup
