// Package blobtest is the contract of blob.Store as a test suite:
//
//	func TestContract(t *testing.T) { blobtest.Run(t, open) }
//
// Every implementation passes it, fakes included.
package blobtest
