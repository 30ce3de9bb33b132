package mailbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// KeyForm says how the session key in a letter's row is wrapped.
type KeyForm int64

// The forms.
const (
	// ToLetters is wrapped to the box's public key, bound to the body's id: the
	// form of a delivery, which holds public keys only.
	ToLetters KeyForm = iota
	// UnderSpace is wrapped under the space's symmetric key, bound to the
	// message's id: the form after the first opening.
	UnderSpace
)

// Delivery is a letter for one box, all of it sealed before the transaction.
type Delivery struct {
	// ID names the letter in its box; the caller makes it with identity.NewID.
	ID  MessageID
	Box BoxID
	// Folder is where the letter goes; empty is the inbox.
	Folder FolderID
	// Body is what AddBody keeps, or has kept.
	Body BodyID
	// Size is head and body together, in octets.
	Size int64
	// Key is the session key, wrapped as KeyForm says.
	Key     []byte
	KeyForm KeyForm
	// Record is the summary, from SealSummary.
	Record []byte
	// Flags are the first flags of the letter; bits of the box's own keywords come
	// from [Keywords].
	Flags Flags
	// Internal is the INTERNALDATE; zero is the time of the transaction.
	Internal time.Time
	// Replay is the keyed hash (32 octets) that a repetition would have again; nil
	// if there can be none (APPEND).
	Replay []byte
	// Outcome is the state text of the letter's outcome for this recipient.
	Outcome string
	// Correspondent, in a patient's box, is who wrote.
	Correspondent *Correspondent
}

// Placed is where a letter is.
type Placed struct {
	Folder FolderID
	UID    UID
	ModSeq ModSeq
	// Replayed says that the letter was there already: nothing was added, and the
	// body that came with the repetition is not referred to.
	Replayed bool
}

// Deliver places a letter: at most four statements in the normal case. State,
// quota and number of letters are read in the statement that raises them, under
// the box's lock; UID and MODSEQ are taken under the folder's lock, which lasts
// to the commit, so the order of commits is the order of UIDs.
//
// A caller with several recipients sorts them by box. It adds the body after the
// last of them, with as many references as were placed and not replayed.
//
// A fault leaves the transaction usable and nothing changed: fault.NotFound
// "box-unknown" or "folder-unknown", fault.Denied "box-closed", "box-suspended"
// or "box-opposed", fault.Transient "box-announced", fault.OverQuota "box-full",
// "letters-limit" or "folder-full".
func Deliver(tx *store.Tx, d Delivery) (Placed, error) {
	inbox, err := chargeOpen(tx, d.Box, d.Size)
	if err != nil {
		return Placed{}, err
	}
	folder := d.Folder
	if folder == "" {
		folder = folderID(d.Box, inbox)
	}
	p, err := takeUID(tx, d, folder)
	if err != nil {
		return Placed{}, errors.Join(err, charge(tx, d.Box, -d.Size, -1))
	}
	fresh, err := insertMessage(tx, d, p)
	if err != nil {
		return Placed{}, fmt.Errorf("place a letter in folder %s: %w", folder, err)
	}
	if !fresh {
		return replayed(tx, d, p)
	}
	if d.Correspondent != nil {
		if err := d.Correspondent.wrote(tx, d.Box); err != nil {
			return Placed{}, err
		}
	}
	tx.Changed(folder.Topic())
	return p, nil
}

// chargeOpen raises what the box holds if its state and limits allow, and returns
// the number of its inbox.
func chargeOpen(tx *store.Tx, box BoxID, size int64) (inbox int64, err error) {
	err = tx.QueryRow(`UPDATE box SET bytes = bytes + $2, letters = letters + 1
		WHERE box_id = $1 AND state IN ('active', 'warned', 'automatic')
		AND bytes + $2 <= quota AND letters < letter_limit RETURNING inbox`,
		string(box), size).Scan(&inbox)
	if !errors.Is(err, store.ErrNoRows) {
		return inbox, err
	}
	b, err := ByID(tx, nil, box)
	if err != nil {
		return 0, err
	}
	if err := b.Takes(size); err != nil {
		return 0, err
	}
	// The box changed between the two statements.
	return 0, fault.New(fault.Transient, "box-busy")
}

// takeUID gives the letter its UID and MODSEQ and raises the folder's counters.
func takeUID(tx *store.Tx, d Delivery, folder FolderID) (Placed, error) {
	number, err := folder.number()
	if err != nil || folder.Box() != d.Box {
		return Placed{}, fault.New(fault.NotFound, "folder-unknown")
	}
	var t tally
	t.count(1, d.Flags, d.Size)
	var next, modseq int64
	err = tx.QueryRow(`UPDATE folder SET uid_next = uid_next + 1, modseq = modseq + 1, messages = messages + 1,
		unseen = unseen + $3, deleted = deleted + $4, bytes = bytes + $5
		WHERE box_id = $1 AND folder = $2 AND uid_next < 4294967295 RETURNING uid_next, modseq`,
		string(d.Box), number, t.unseen, t.deleted, t.bytes).Scan(&next, &modseq)
	if errors.Is(err, store.ErrNoRows) {
		if _, err := Status(tx, nil, folder); err != nil {
			return Placed{}, err
		}
		return Placed{}, fault.New(fault.OverQuota, "folder-full")
	}
	return Placed{Folder: folder, UID: UID(next - 1), ModSeq: ModSeq(modseq)}, err
}

// insertMessage makes the row; false says that the same letter is there already.
func insertMessage(tx *store.Tx, d Delivery, p Placed) (bool, error) {
	number, err := p.Folder.number()
	if err != nil {
		return false, err
	}
	internal := d.Internal
	if internal.IsZero() {
		internal = tx.Now()
	}
	var replay any
	if len(d.Replay) > 0 {
		replay = d.Replay
	}
	n, err := tx.Exec(`INSERT INTO message (box_id, folder, uid, modseq, flags, size, internal, key_form, id, body_id,
		outcome, replay, wrapped, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (box_id, replay) WHERE replay IS NOT NULL DO NOTHING`,
		string(d.Box), number, int64(p.UID), int64(p.ModSeq), int64(d.Flags&AllFlags), d.Size, store.Micros(internal),
		int64(d.KeyForm), string(d.ID), string(d.Body), d.Outcome, replay, d.Key, d.Record)
	return n == 1, err
}

// replayed takes back what Deliver raised and finds the letter that was there.
func replayed(tx *store.Tx, d Delivery, p Placed) (Placed, error) {
	t := tally{uids: -1, modseqs: -1}
	t.count(-1, d.Flags, d.Size)
	if err := t.addTo(tx, p.Folder); err != nil {
		return Placed{}, err
	}
	if err := charge(tx, d.Box, -d.Size, -1); err != nil {
		return Placed{}, err
	}
	var folder int64
	was := Placed{Replayed: true}
	err := tx.QueryRow(`SELECT folder, uid, modseq FROM message WHERE box_id = $1 AND replay = $2`,
		string(d.Box), d.Replay).Scan(&folder, &was.UID, &was.ModSeq)
	if err != nil {
		return Placed{}, fmt.Errorf("find a repeated letter in box %s: %w", d.Box, err)
	}
	was.Folder = folderID(d.Box, folder)
	return was, nil
}
