package mailbox

import (
	"fmt"
	"slices"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
	"github.com/vaguemestre/vaguemestre/store"
)

// CreateFolder makes a folder, and those above it that are missing (RFC 3501
// 6.3.3). It fails with fault.Invalid "folder-name", fault.Conflict
// "folder-exists" (also when the role is taken) and fault.OverQuota "folders-limit".
func CreateFolder(tx *store.Tx, ring *seal.Keyring, box BoxID, name string, role Role) (Folder, error) {
	name, err := CleanName(name)
	if err != nil {
		return Folder{}, err
	}
	if _, err := lockBox(tx, box); err != nil {
		return Folder{}, err
	}
	all, err := Folders(tx, ring, box)
	if err != nil {
		return Folder{}, err
	}
	taken := func(f Folder) bool { return f.Name == name || role != "" && f.Role == role }
	if slices.ContainsFunc(all, taken) {
		return Folder{}, fault.New(fault.Conflict, "folder-exists")
	}
	if err := insertParents(tx, ring, all, name); err != nil {
		return Folder{}, err
	}
	id, err := insertFolder(tx, ring, box, name, role)
	if err != nil {
		return Folder{}, err
	}
	tx.Changed(box.Topic())
	return Status(tx, ring, id)
}

// insertParents makes the folders above name that are not among all.
func insertParents(tx *store.Tx, ring *seal.Keyring, all []Folder, name string) error {
	missing := slices.DeleteFunc(parents(name), func(p string) bool {
		return slices.ContainsFunc(all, func(f Folder) bool { return f.Name == p })
	})
	if len(all)+len(missing) >= maxFolders {
		return fault.New(fault.OverQuota, "folders-limit")
	}
	for _, p := range missing {
		if _, err := insertFolder(tx, ring, all[0].ID.Box(), p, ""); err != nil {
			return err
		}
	}
	return nil
}

// insertFolder gives a folder the box's next number. The UIDVALIDITY is the
// number after the second in which the box was made: it grows with every folder
// of the box, so a name made again never has an earlier one (RFC 3501 2.3.1.1).
func insertFolder(tx *store.Tx, ring *seal.Keyring, box BoxID, name string, role Role) (FolderID, error) {
	var number, created int64
	err := tx.QueryRow(`UPDATE box SET folder_next = folder_next + 1 WHERE box_id = $1
		RETURNING folder_next - 1, created`, string(box)).Scan(&number, &created)
	if err != nil {
		return "", fmt.Errorf("number a folder of box %s: %w", box, err)
	}
	id := folderID(box, number)
	record, err := ring.SealRecord("folder-name", string(id), []byte(name))
	if err != nil {
		return "", fmt.Errorf("seal the name of folder %s: %w", id, err)
	}
	_, err = tx.Exec(`INSERT INTO folder (box_id, folder, role, subscribed, uid_validity, uid_next, modseq, floor,
		messages, unseen, deleted, bytes, record)
		VALUES ($1, $2, $3, 1, $4, 1, 1, 0, 0, 0, 0, 0, $5)`,
		string(box), number, string(role), created/1e6+number, record)
	if err != nil {
		return "", fmt.Errorf("make folder %s: %w", id, err)
	}
	return id, nil
}

// RenameFolder gives a folder and those below it another name; ids, UIDs and
// UIDVALIDITY stay. Renaming INBOX moves its letters into a new folder of that
// name and leaves INBOX and those below it (RFC 3501 6.3.5). It fails like
// CreateFolder, with fault.NotFound "folder-unknown", and with fault.Invalid
// "folder-name" for a place below itself.
func RenameFolder(tx *store.Tx, ring *seal.Keyring, id FolderID, name string) error {
	name, err := CleanName(name)
	if err != nil {
		return err
	}
	box := id.Box()
	if _, err := lockBoxOf(tx, id); err != nil {
		return err
	}
	f, err := Status(tx, ring, id)
	if err != nil {
		return err
	}
	if under(name, f.Name) && f.Role != Inbox {
		return fault.New(fault.Invalid, "folder-name")
	}
	if f.Role == Inbox {
		to, err := CreateFolder(tx, ring, box, name, "")
		if err != nil {
			return err
		}
		_, err = Move(tx, id, to.ID, All())
		return err
	}
	all, err := Folders(tx, ring, box)
	if err != nil {
		return err
	}
	return rename(tx, ring, all, f.Name, name)
}

// rename moves the folder called from, and those below it, to the name to.
func rename(tx *store.Tx, ring *seal.Keyring, all []Folder, from, to string) error {
	have := make(map[string]bool, len(all))
	for _, f := range all {
		have[f.Name] = true
	}
	for _, f := range all {
		if f.Name != from && !under(f.Name, from) {
			continue
		}
		name, err := CleanName(to + f.Name[len(from):])
		if err != nil {
			return err
		}
		if have[name] {
			return fault.New(fault.Conflict, "folder-exists")
		}
		if err := renameOne(tx, ring, f.ID, name); err != nil {
			return err
		}
	}
	if err := insertParents(tx, ring, all, to); err != nil {
		return err
	}
	tx.Changed(all[0].ID.Box().Topic())
	return nil
}

// renameOne writes another name into a folder's row.
func renameOne(tx *store.Tx, ring *seal.Keyring, id FolderID, name string) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	record, err := ring.SealRecord("folder-name", string(id), []byte(name))
	if err != nil {
		return fmt.Errorf("seal the name of folder %s: %w", id, err)
	}
	_, err = tx.Exec(`UPDATE folder SET record = $3 WHERE box_id = $1 AND folder = $2`,
		string(id.Box()), number, record)
	return err
}

// DeleteFolder erases a folder with its letters. It fails with fault.NotFound
// "folder-unknown", fault.Denied "folder-inbox", and fault.Conflict
// "folder-has-children" (RFC 9051 6.3.5: HASCHILDREN).
func DeleteFolder(tx *store.Tx, ring *seal.Keyring, id FolderID) error {
	box := id.Box()
	if _, err := lockBoxOf(tx, id); err != nil {
		return err
	}
	f, err := Status(tx, ring, id)
	if err != nil {
		return err
	}
	if f.Role == Inbox {
		return fault.New(fault.Denied, "folder-inbox")
	}
	all, err := Folders(tx, ring, box)
	if err != nil {
		return err
	}
	for _, other := range all {
		if under(other.Name, f.Name) {
			return fault.New(fault.Conflict, "folder-has-children")
		}
	}
	if _, err := Erase(tx, id, All()); err != nil {
		return err
	}
	number, err := id.number()
	if err != nil {
		return err
	}
	for _, table := range []string{"expunged", "folder"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE box_id = $1 AND folder = $2`, string(box), number); err != nil {
			return fmt.Errorf("delete folder %s: %w", id, err)
		}
	}
	tx.Changed(box.Topic(), id.Topic())
	return nil
}

// Subscribe records whether clients list the folder as subscribed. It fails with
// fault.NotFound "folder-unknown".
func Subscribe(tx *store.Tx, id FolderID, subscribed bool) error {
	number, err := id.number()
	if err != nil {
		return err
	}
	var flag int64
	if subscribed {
		flag = 1
	}
	n, err := tx.Exec(`UPDATE folder SET subscribed = $3 WHERE box_id = $1 AND folder = $2`, string(id.Box()), number, flag)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "folder-unknown")
	}
	tx.Changed(id.Box().Topic())
	return nil
}
