// Package archtest holds no code: its tests keep the tree in order. Imports point in one direction, one package dials,
// and the modules that postier depends on are listed, licensed and not older than the fix of a known fault.
package archtest
