package audit

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/store"
)

// Topic is published after a commit that appended a leaf: it wakes the sequencer.
const Topic = "audit"

// saltSize is the size of a commitment's salt, in bytes: without it, details from a
// small set could be guessed from the commitment after their erasure.
const saltSize = 16

// actErased is the act of the leaf that EraseDetails writes.
const actErased = "audit-details-erased"

// Append writes a leaf in the transaction of the act that it tells of: one INSERT,
// and a second one only when there are details. A leaf that breaks the bounds is
// our own bug: fault.Internal "audit-leaf-malformed", and the act must fail with it
// (spec security 5: failure to log is failure of the act).
func Append(tx *store.Tx, l Leaf) error {
	if err := l.check(); err != nil {
		return err
	}
	commitment := ""
	if len(l.Details) > 0 {
		sum, err := addDetails(tx, l.Details)
		if err != nil {
			return err
		}
		commitment = hex.EncodeToString(sum)
	}
	_, err := tx.Exec(`INSERT INTO audit_pending (id, leaf) VALUES ($1, $2)`,
		identity.NewID(), l.encode(tx.Now(), commitment))
	if err != nil {
		return err
	}
	tx.Changed(Topic)
	return nil
}

func addDetails(tx *store.Tx, details []byte) ([]byte, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		panic(err) // crypto/rand never fails on supported systems
	}
	sum := commit(salt, details)
	_, err := tx.Exec(`INSERT INTO audit_detail (commitment, salt, details) VALUES ($1, $2, $3)`, sum, salt, details)
	return sum, err
}

// commit returns SHA-256(salt || details).
func commit(salt, details []byte) []byte {
	h := sha256.New()
	h.Write(salt)
	h.Write(details)
	return h.Sum(nil)
}

// isCommitment reports whether s is a commitment as leaves print it: 64 lower-case
// hex digits.
func isCommitment(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == s
}

// EraseDetails erases the details behind a leaf's commitment (64 hex digits) and
// appends a leaf that says who erased them and why; Verify takes details that are
// gone without such a leaf for stolen. The tree stays whole. by needs no Act,
// Object and Result. Unknown or already erased details are fault.NotFound
// "audit-details-unknown".
func EraseDetails(tx *store.Tx, commitment string, by Leaf) error {
	sum, err := hex.DecodeString(commitment)
	if err != nil || !isCommitment(commitment) {
		return fault.New(fault.NotFound, "audit-details-unknown")
	}
	n, err := tx.Exec(`DELETE FROM audit_detail WHERE commitment = $1`, sum)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "audit-details-unknown")
	}
	by.Act, by.Object, by.Result = actErased, commitment, Done
	return Append(tx, by)
}

// Details returns the details behind a commitment, as they were given to Append,
// and fault.NotFound "audit-details-unknown" when they were erased.
func Details(tx *store.Tx, commitment string) ([]byte, error) {
	sum, err := hex.DecodeString(commitment)
	if err != nil {
		return nil, fault.New(fault.NotFound, "audit-details-unknown")
	}
	var details []byte
	row := tx.QueryRow(`SELECT details FROM audit_detail WHERE commitment = $1`, sum)
	if err := scan(row, &details); err != nil {
		return nil, notFound(err, "audit-details-unknown")
	}
	return details, nil
}

// Network returns what a leaf may say of a peer's address: the /24 of an IPv4
// address, the /48 of an IPv6 address (spec security 5), empty for neither.
func Network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil || !a.IsValid() {
		return ""
	}
	return p.String()
}
