package cda

import (
	"strconv"
	"strings"
)

// The OIDs of the INS (référentiel INS): NIR, NIA, and the NIR of test and of
// demonstration.
const (
	nir     = "1.2.250.1.213.1.4.8"
	nia     = "1.2.250.1.213.1.4.9"
	testNIR = "1.2.250.1.213.1.4.10"
	demoNIR = "1.2.250.1.213.1.4.11"
)

// INSRoot reports whether an OID is that of an INS, of test and demonstration too. A
// production site must not take those two for an identity.
func INSRoot(oid string) bool {
	switch oid {
	case nir, nia, testNIR, demoNIR:
		return true
	}
	return false
}

// ValidMatricule reports whether a matricule has 13 characters and the right key of two
// digits: 97 - (N mod 97), with 19 for 2A and 18 for 2B. Official samples often have a
// wrong one: a reader warns, an identity form refuses.
func ValidMatricule(s string) bool {
	if len(s) != 15 {
		return false
	}
	body := s[:13]
	switch strings.ToUpper(body[5:7]) {
	case "2A":
		body = body[:5] + "19" + body[7:]
	case "2B":
		body = body[:5] + "18" + body[7:]
	}
	number, err := strconv.ParseUint(body, 10, 64)
	if err != nil {
		return false
	}
	key, err := strconv.ParseUint(s[13:], 10, 64)
	return err == nil && key == 97-number%97
}
