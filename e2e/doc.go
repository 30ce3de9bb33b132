// Package e2e tests the built program from outside, with the mail clients that
// people have: swaks, mbsync, mutt, and Python's own libraries; and a patient's space
// with Chromium, by the scripts in browser/. A client that is missing is a failure,
// never a skip: make test installs them.
package e2e
