package account

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Certificate is a client certificate that opens a box: a subject, and a public
// key unless any certified key of that subject will do (a machine that renews its
// own, spec mssante 10, "map DN to APP boxes").
type Certificate struct {
	ID     string
	Box    BoxID
	Person identity.PersonID
	// Subject is the certificate's subject.
	Subject identity.DN
	// SPKI is the SHA-256 of the DER SubjectPublicKeyInfo; nil is any key.
	SPKI    []byte
	Created time.Time
	// LastUsed is the day (UTC) of the last login, zero for never.
	LastUsed time.Time
}

// subjectMAC is the keyed hash by which certificates are found.
func subjectMAC(w *seal.Works, dn identity.DN) []byte {
	return w.MAC("certificate-subject", []byte(dn.Key()))
}

// AddCertificate binds a client certificate to a box for a holder, and returns
// the binding's id. It fails with fault.Invalid "certificate-malformed" and
// fault.Conflict "certificate-exists".
func AddCertificate(tx *store.Tx, w *seal.Works, c Certificate) (string, error) {
	if c.Box == "" || c.Subject.IsZero() || len(c.SPKI) != 0 && len(c.SPKI) != sha256.Size {
		return "", fault.New(fault.Invalid, "certificate-malformed")
	}
	if c.ID == "" {
		c.ID = identity.NewID()
	}
	if c.SPKI == nil {
		c.SPKI = []byte{}
	}
	record, err := sealed(w, "certificate", c.ID, c.Subject.String())
	if err != nil {
		return "", err
	}
	n, err := tx.Exec(`INSERT INTO certificate (dn_mac, box_id, spki, certificate_id, person_id, created, last_used, record)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING`,
		subjectMAC(w, c.Subject), string(c.Box), c.SPKI, c.ID, string(c.Person), store.Micros(tx.Now()), record)
	if err != nil {
		return "", fmt.Errorf("bind a certificate to box %s: %w", c.Box, err)
	}
	if n == 0 {
		return "", fault.New(fault.Conflict, "certificate-exists")
	}
	return c.ID, nil
}

const selectLogin = `SELECT c.person_id, h.rights, c.certificate_id, c.last_used, c.box_id
	FROM certificate c JOIN holder h ON h.box_id = c.box_id AND h.person_id = c.person_id
	WHERE c.dn_mac = $1 AND (c.spki = $2 OR length(c.spki) = 0)`

// CertificateBoxes returns the boxes that a verified certificate opens, by box:
// those bound to its subject and its public key (spki, SHA-256) or any key of the
// subject. A certificate that opens none returns none.
func CertificateBoxes(tx *store.Tx, w *seal.Works, dn identity.DN, spki []byte) ([]Login, error) {
	if dn.IsZero() || len(spki) != sha256.Size {
		return nil, nil
	}
	rows, err := tx.Query(selectLogin+` ORDER BY c.box_id, c.spki DESC`, subjectMAC(w, dn), spki)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Login
	for rows.Next() {
		var l Login
		var box string
		if err := scanLogin(rows, &l, &box); err != nil {
			return nil, err
		}
		l.Box = BoxID(box)
		// Bound by key and by subject: the key's binding is first, and says more.
		if n := len(out); n == 0 || out[n-1].Box != l.Box || out[n-1].Person != l.Person {
			out = append(out, l)
		}
	}
	return out, rows.Err()
}

// CheckCertificate finds who comes to a box with a verified certificate. For an
// address without a box the caller passes an empty box. Whatever is wrong is
// fault.Denied "login-failed".
func CheckCertificate(tx *store.Tx, w *seal.Works, box BoxID, dn identity.DN, spki []byte) (Login, error) {
	all, err := CertificateBoxes(tx, w, dn, spki)
	if err != nil {
		return Login{}, err
	}
	for _, l := range all {
		if l.Box == box {
			return l, nil
		}
	}
	return Login{}, errLogin()
}

// RevokeCertificate ends a binding. It fails with fault.NotFound "certificate-unknown".
func RevokeCertificate(tx *store.Tx, box BoxID, id string) error {
	n, err := tx.Exec(`DELETE FROM certificate WHERE box_id = $1 AND certificate_id = $2`, string(box), id)
	if err != nil {
		return fmt.Errorf("unbind a certificate of box %s: %w", box, err)
	}
	if n == 0 {
		return fault.New(fault.NotFound, "certificate-unknown")
	}
	return nil
}

// Certificates returns the certificates bound to a box, the oldest first.
func Certificates(tx *store.Tx, w *seal.Works, box BoxID) ([]Certificate, error) {
	rows, err := tx.Query(`SELECT certificate_id, person_id, spki, created, last_used, record
		FROM certificate WHERE box_id = $1 ORDER BY certificate_id`, string(box))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Certificate
	for rows.Next() {
		c := Certificate{Box: box}
		var person string
		var created, used int64
		var record []byte
		if err := rows.Scan(&c.ID, &person, &c.SPKI, &created, &used, &record); err != nil {
			return nil, err
		}
		subject, err := opened[string](w, "certificate", c.ID, record)
		if err != nil {
			return nil, err
		}
		if c.Subject, err = identity.ParseDN(subject); err != nil {
			return nil, fmt.Errorf("record of certificate %s: %w", c.ID, err)
		}
		if len(c.SPKI) == 0 {
			c.SPKI = nil
		}
		c.Person, c.Created, c.LastUsed = identity.PersonID(person), store.Time(created), dayTime(used)
		out = append(out, c)
	}
	return out, rows.Err()
}
