//go:build !linux

package bench

import "syscall"

// bound ties nothing here: children end when they are stopped.
func bound() *syscall.SysProcAttr { return nil }
