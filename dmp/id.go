package dmp

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
)

// SpaceID names a patient's space, as package mailbox made it.
type SpaceID string

// Topic is what is published when a document of the space is filed, replaced or
// erased, or the filing of a letter was noted.
func (s SpaceID) Topic() string { return "vault:" + string(s) }

// HistoryTopic is what is published when an access to the space is noted.
func (s SpaceID) HistoryTopic() string { return "history:" + string(s) }

// DocumentID names a document of a vault. It is opaque, never reused, and sorts by
// the time at which the document was sealed.
type DocumentID string

// MaxUniqueID is the longest uniqueId or entryUUID, in octets: IHE ITI TF-3 4.2.3.2.26
// allows 128, others were seen to be longer.
const MaxUniqueID = 256

// DerivedID is the uniqueId of a document that brings none, such as a bare PDF: the
// same octets have the same one. It is an OID under 2.25 (ITU-T X.667 7) of a UUID of
// version 8 (RFC 9562 5.8) that is the beginning of their SHA-256.
func DerivedID(sum [sha256.Size]byte) string {
	uuid := sum[:16]
	uuid[6] = uuid[6]&0x0f | 0x80 // version 8
	uuid[8] = uuid[8]&0x3f | 0x80 // variant of RFC 9562 4.1
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}

// cleanID returns a uniqueId in the one form that is compared: without white space
// around and without the prefix that FHIR and some senders put before an OID.
func cleanID(id string) string {
	const prefix = "urn:oid:"
	for id = strings.TrimSpace(id); len(id) >= len(prefix) && strings.EqualFold(id[:len(prefix)], prefix); {
		id = strings.TrimSpace(id[len(prefix):])
	}
	return id
}

// cleanUUID returns a UUID in the one form that is compared, "urn:uuid:" and lower-case
// hex. An entryUUID that is something else is a symbolic name, which means something
// within its submission only (IHE ITI TF-3 4.2.3.1.2): false.
func cleanUUID(id string) (string, bool) {
	const prefix = "urn:uuid:"
	digits := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(id)), prefix)
	if len(digits) != 36 || digits[8] != '-' || digits[13] != '-' || digits[18] != '-' || digits[23] != '-' {
		return "", false
	}
	if raw, err := hex.DecodeString(strings.ReplaceAll(digits, "-", "")); err != nil || len(raw) != 16 {
		return "", false
	}
	return prefix + digits, true
}
