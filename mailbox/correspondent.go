package mailbox

import (
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Correspondent is somebody who wrote to a patient. Only correspondents may be
// written to (spec mssante 7.4); the patient sees the name, never the address.
type Correspondent struct {
	Address identity.Address
	Name    string
	// Open says that the patient may answer; the correspondent closes it
	// (spec mssante 7.6).
	Open bool
	// Last is when they wrote last.
	Last time.Time

	mac    []byte
	record []byte
}

// correspondentRecord is what the sealed record holds.
type correspondentRecord struct {
	Address string `json:"a"`
	Name    string `json:"n"`
}

// macSize is enough that no two addresses of a box meet, and short in an alias.
const macSize = 20

// peerMAC is the keyed hash by which a correspondent of a box is found.
func peerMAC(w *seal.Works, box BoxID, peer identity.Address) []byte {
	return w.MAC("correspondent", []byte(box), []byte(peer.Key()))[:macSize]
}

// correspondentID is what the sealed record is bound to.
func correspondentID(box BoxID, mac []byte) string { return string(box) + "." + aliasOf(mac) }

// NewCorrespondent prepares, before the transaction, what a [Delivery] to a
// patient's box notes of who wrote. Peer is the Reply-To box where there is one
// (spec mssante 7.5).
func NewCorrespondent(w *seal.Works, box BoxID, peer identity.Address, name string, open bool) (*Correspondent, error) {
	plain, err := json.Marshal(correspondentRecord{peer.String(), name})
	if err != nil {
		return nil, err
	}
	c := &Correspondent{Address: peer, Name: name, Open: open, mac: peerMAC(w, box, peer)}
	if c.record, err = w.Seal("correspondent", correspondentID(box, c.mac), plain); err != nil {
		return nil, fmt.Errorf("seal a correspondent of box %s: %w", box, err)
	}
	return c, nil
}

// wrote notes the correspondent's letter. A letter without a name leaves the known one.
func (c *Correspondent) wrote(tx *store.Tx, box BoxID) error {
	state := "closed"
	if c.Open {
		state = "open"
	}
	named := 0
	if c.Name != "" {
		named = 1
	}
	_, err := tx.Exec(`INSERT INTO correspondent (box_id, peer_mac, state, last, record) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (box_id, peer_mac) DO UPDATE SET state = excluded.state, last = excluded.last,
		record = CASE WHEN CAST($6 AS BIGINT) = 0 THEN correspondent.record ELSE excluded.record END`,
		string(box), c.mac, state, store.Micros(tx.Now()), c.record, named)
	if err != nil {
		return fmt.Errorf("note a correspondent of box %s: %w", box, err)
	}
	return nil
}

// Alias returns the local part that stands for the correspondent in this
// patient's letters: it leads nowhere for anybody else.
func (c *Correspondent) Alias() string { return aliasOf(c.mac) }

// aliasEncoding writes 20 octets as 32 characters that survive any case folding.
func aliasEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// aliasOf prints a keyed hash as an alias.
func aliasOf(mac []byte) string { return strings.ToLower(aliasEncoding().EncodeToString(mac)) }

const selectCorrespondent = `SELECT peer_mac, state, last, record FROM correspondent WHERE box_id = $1`

// FindCorrespondent returns a correspondent of a box by address. It fails with
// fault.NotFound "correspondent-unknown".
func FindCorrespondent(tx *store.Tx, w *seal.Works, box BoxID, peer identity.Address) (Correspondent, error) {
	return scanCorrespondent(tx.QueryRow(selectCorrespondent+` AND peer_mac = $2`, string(box), peerMAC(w, box, peer)), w, box)
}

// CorrespondentByAlias returns a correspondent of a box by the alias in the box's
// letters. It fails with fault.NotFound "correspondent-unknown".
func CorrespondentByAlias(tx *store.Tx, w *seal.Works, box BoxID, alias string) (Correspondent, error) {
	mac, err := aliasEncoding().DecodeString(strings.ToUpper(alias))
	if err != nil || aliasOf(mac) != strings.ToLower(alias) {
		return Correspondent{}, fault.New(fault.NotFound, "correspondent-unknown")
	}
	return scanCorrespondent(tx.QueryRow(selectCorrespondent+` AND peer_mac = $2`, string(box), mac), w, box)
}

// Correspondents returns everybody who wrote to a box, who wrote last first.
func Correspondents(tx *store.Tx, w *seal.Works, box BoxID) ([]Correspondent, error) {
	rows, err := tx.Query(selectCorrespondent+` ORDER BY last DESC, peer_mac`, string(box))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Correspondent
	for rows.Next() {
		c, err := scanCorrespondent(rows, w, box)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// MayAnswer decides whether the holder of a patient's box may write to peer. It
// fails with fault.Denied "correspondent-unknown" or "correspondent-closed".
func MayAnswer(tx *store.Tx, w *seal.Works, box BoxID, peer identity.Address) error {
	c, err := FindCorrespondent(tx, w, box, peer)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Denied, "correspondent-unknown")
	}
	if err != nil {
		return err
	}
	if !c.Open {
		return fault.New(fault.Denied, "correspondent-closed")
	}
	return nil
}

// scanCorrespondent reads a row of selectCorrespondent and opens its record.
func scanCorrespondent(row scanner, w *seal.Works, box BoxID) (Correspondent, error) {
	var c Correspondent
	var state string
	var last int64
	err := row.Scan(&c.mac, &state, &last, &c.record)
	if errors.Is(err, store.ErrNoRows) {
		return Correspondent{}, fault.New(fault.NotFound, "correspondent-unknown")
	}
	if err != nil {
		return Correspondent{}, err
	}
	c.Open, c.Last = state == "open", store.Time(last)
	plain, err := w.Open("correspondent", correspondentID(box, c.mac), c.record)
	if err != nil {
		return Correspondent{}, fmt.Errorf("open a correspondent of box %s: %w", box, err)
	}
	var r correspondentRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return Correspondent{}, fmt.Errorf("record of a correspondent of box %s: %w", box, err)
	}
	c.Name = r.Name
	c.Address, err = identity.ParseAddress(r.Address)
	return c, err
}
