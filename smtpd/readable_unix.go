//go:build unix

package smtpd

import "syscall"

// readable reports whether the kernel holds input, without waiting or taking it.
func readable(raw syscall.RawConn) bool {
	n := 0
	err := raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, _ = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		return true
	})
	return err == nil && n > 0
}
