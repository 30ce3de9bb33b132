//go:build !unix

package smtpd

import "syscall"

// readable is not known here; what the buffers hold is still seen.
func readable(syscall.RawConn) bool { return false }
