// Package identity holds the names of people, boxes and organisations: parsed,
// checked and printed in one place, and safe to hand to a logger.
//
//	a, err := identity.ParseAddress("dr.martin@chu.mss.example")
//
// It imports the standard library only, holds no state and decides
// nothing: whether an address exists or may be written to is for the houses.
package identity
