// Package archtest holds no code: its tests keep the tree in order. Imports point one way, one place dials, and the
// modules that postier stands on are known, licensed and not older than a fixed fault.
package archtest
