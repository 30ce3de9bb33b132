package bench

import "syscall"

// bound ties a child's life to ours, and keeps from it the Ctrl-C that is meant for us:
// we stop it.
func bound() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
