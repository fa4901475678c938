//go:build !unix

package delivery

// gone is asked only where the kernel names itself; see kernel.
func gone(int) bool { return false }
