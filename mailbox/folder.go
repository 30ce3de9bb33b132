package mailbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// Role is the special use of a folder (RFC 6154), empty for none.
type Role string

// The roles. A box has at most one folder of each.
const (
	Inbox   Role = "inbox"
	Sent    Role = "sent"
	Drafts  Role = "drafts"
	Trash   Role = "trash"
	Junk    Role = "junk"
	Archive Role = "archive"
)

// firstFolder is a folder that a new box has.
type firstFolder struct {
	name string
	role Role
}

// firstFolders are what a new box has; the names are those that mail clients
// look for when they know no special use. INBOX is first: its number is 1.
func firstFolders() []firstFolder {
	return []firstFolder{
		{"INBOX", Inbox}, {"Sent", Sent}, {"Drafts", Drafts}, {"Trash", Trash}, {"Junk", Junk}, {"Archive", Archive},
	}
}

// Folder is a folder of a box with its counters.
type Folder struct {
	ID FolderID
	// Name is the whole name, levels separated by "/"; empty where no keyring was given.
	Name       string
	Role       Role
	Subscribed bool
	// UIDValidity changes only when a folder is made again.
	UIDValidity UIDValidity
	// UIDNext is the UID that the next letter will have.
	UIDNext UID
	// ModSeq is the highest given (HIGHESTMODSEQ); Floor the one at or below
	// which it is no longer known what was expunged.
	ModSeq, Floor ModSeq
	// Messages, Unseen and Deleted count letters: all, without \Seen, with \Deleted.
	Messages, Unseen, Deleted int64
	// Bytes is the size of all letters, in octets.
	Bytes int64
}

const selectFolder = `SELECT box_id, folder, role, subscribed, uid_validity, uid_next, modseq, floor,
	messages, unseen, deleted, bytes, record FROM folder WHERE box_id = $1`

// scanFolder reads a row of selectFolder; with nil ring the name stays sealed.
func scanFolder(row scanner, ring *seal.Keyring) (Folder, error) {
	var f Folder
	var box, role string
	var number, subscribed int64
	var sealed []byte
	err := row.Scan(&box, &number, &role, &subscribed, &f.UIDValidity, &f.UIDNext, &f.ModSeq, &f.Floor,
		&f.Messages, &f.Unseen, &f.Deleted, &f.Bytes, &sealed)
	if errors.Is(err, store.ErrNoRows) {
		return Folder{}, fault.New(fault.NotFound, "folder-unknown")
	}
	if err != nil {
		return Folder{}, err
	}
	f.ID, f.Role, f.Subscribed = folderID(BoxID(box), number), Role(role), subscribed != 0
	if ring == nil {
		return f, nil
	}
	name, err := ring.OpenRecord("folder-name", string(f.ID), sealed)
	if err != nil {
		return Folder{}, fmt.Errorf("open the name of folder %s: %w", f.ID, err)
	}
	f.Name = string(name)
	return f, nil
}

// Folders returns the folders of a box, sorted by name with INBOX first. With a
// nil keyring the names stay empty and the order is that of creation.
func Folders(tx *store.Tx, ring *seal.Keyring, box BoxID) ([]Folder, error) {
	rows, err := tx.Query(selectFolder+` ORDER BY folder`, string(box))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Folder
	for rows.Next() {
		f, err := scanFolder(rows, ring)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortStableFunc(out, func(a, b Folder) int {
		if (a.Role == Inbox) != (b.Role == Inbox) {
			return int(b.isInbox() - a.isInbox())
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, rows.Err()
}

// isInbox returns 1 for INBOX.
func (f Folder) isInbox() int64 {
	if f.Role == Inbox {
		return 1
	}
	return 0
}

// FolderByName returns a folder of a box; INBOX is found in any case. It opens the
// names of the box (there are few) rather than keep a hash of each, which anybody
// with the key of the hash could guess. It fails with fault.NotFound "folder-unknown".
func FolderByName(tx *store.Tx, ring *seal.Keyring, box BoxID, name string) (Folder, error) {
	name, err := CleanName(name)
	if err != nil {
		return Folder{}, fault.New(fault.NotFound, "folder-unknown")
	}
	all, err := Folders(tx, ring, box)
	if err != nil {
		return Folder{}, err
	}
	for _, f := range all {
		if f.Name == name {
			return f, nil
		}
	}
	return Folder{}, fault.New(fault.NotFound, "folder-unknown")
}

// FolderByRole returns the folder of a special use, its name sealed. It fails
// with fault.NotFound "folder-unknown": holders may delete all but INBOX.
func FolderByRole(tx *store.Tx, box BoxID, role Role) (Folder, error) {
	return scanFolder(tx.QueryRow(selectFolder+` AND role = $2`, string(box), string(role)), nil)
}

// Status returns a folder with its counters; the name is empty with a nil
// keyring. It fails with fault.NotFound "folder-unknown".
func Status(tx *store.Tx, ring *seal.Keyring, id FolderID) (Folder, error) {
	number, err := id.number()
	if err != nil {
		return Folder{}, err
	}
	return scanFolder(tx.QueryRow(selectFolder+` AND folder = $2`, string(id.Box()), number), ring)
}

// lockFolder takes the folder's row lock until the transaction ends and returns
// the folder as it is now.
func lockFolder(tx *store.Tx, id FolderID) (Folder, error) {
	number, err := id.number()
	if err != nil {
		return Folder{}, err
	}
	row := tx.QueryRow(`UPDATE folder SET modseq = modseq WHERE box_id = $1 AND folder = $2
		RETURNING box_id, folder, role, subscribed, uid_validity, uid_next, modseq, floor,
		messages, unseen, deleted, bytes, record`, string(id.Box()), number)
	return scanFolder(row, nil)
}

// tally is what an act adds to the counters of a folder.
type tally struct {
	uids, modseqs                    int64
	messages, unseen, deleted, bytes int64
}

// count adds n letters like the one given.
func (t *tally) count(n int64, f Flags, size int64) {
	t.messages += n
	t.unseen += n * (1 - f.one(FlagSeen))
	t.deleted += n * f.one(FlagDeleted)
	t.bytes += n * size
}

// addTo adds the tally to the folder's row, which the caller has locked.
func (t tally) addTo(tx *store.Tx, id FolderID) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE folder SET uid_next = uid_next + $3, modseq = modseq + $4, messages = messages + $5,
		unseen = unseen + $6, deleted = deleted + $7, bytes = bytes + $8 WHERE box_id = $1 AND folder = $2`,
		string(id.Box()), number, t.uids, t.modseqs, t.messages, t.unseen, t.deleted, t.bytes)
	return err
}
