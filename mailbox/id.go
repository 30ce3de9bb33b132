package mailbox

import (
	"strconv"
	"strings"

	"github.com/vaguemestre/vaguemestre/fault"
)

// BoxID names a mailbox (BAL). It is opaque, never reused and sorts by time.
type BoxID string

// SpaceID names the keys of a box.
type SpaceID string

// BodyID names a body: the bytes received, sealed once for all recipients.
type BodyID string

// MessageID names a letter within its box: a head, a body and their key. A copy
// in another folder is the same letter and keeps it, so that nothing has to be
// sealed again (RFC 8474 EMAILID). It is made before the transaction and is what
// the sealed summary and the re-wrapped key are bound to.
type MessageID string

// FolderID names a folder for ever: "box.number". The box stands first so that
// sorting by FolderID locks box after box.
type FolderID string

// UID is an IMAP unique identifier: never zero, grows within a folder.
type UID uint32

// ModSeq is an IMAP modification sequence (RFC 7162): one per change of a folder.
type ModSeq uint64

// UIDValidity changes only when a folder is made again under the same name.
type UIDValidity uint32

// lastUID is the greatest UID (RFC 3501 2.3.1.1: 32 bits).
const lastUID = 1<<32 - 1

// Box returns the box that the folder belongs to.
func (f FolderID) Box() BoxID {
	box, _, _ := strings.Cut(string(f), ".")
	return BoxID(box)
}

// number returns the folder's number in its box. A FolderID that was not made
// here is fault.NotFound "folder-unknown", as one that is gone.
func (f FolderID) number() (int64, error) {
	_, no, _ := strings.Cut(string(f), ".")
	n, err := strconv.ParseInt(no, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.NotFound, "folder-unknown")
	}
	return n, nil
}

// folderID is the inverse of Box and number.
func folderID(box BoxID, number int64) FolderID {
	return FolderID(string(box) + "." + strconv.FormatInt(number, 10))
}

// Topic is what is published when letters of the folder change.
func (f FolderID) Topic() string { return "folder:" + string(f) }

// Topic is what is published when the box's list of folders changes.
func (b BoxID) Topic() string { return "box:" + string(b) }
