package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store"
)

// Checkpoint is a signed state of the log.
type Checkpoint struct {
	// Origin names the log: the operator.
	Origin string
	// Size is how many leaves it covers.
	Size int64
	// Root is the hash of the tree of that size.
	Root tlog.Hash
	// No is the checkpoint's number, from 1.
	No int64
	// At is when it was signed.
	At time.Time
}

// text returns the note's text (C2SP tlog-checkpoint, one extension line).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\ncheckpoint %d %d\n", c.Origin, c.Size, c.Root, c.No, store.Micros(c.At))
}

// parseCheckpoint reads what text wrote and nothing else.
func parseCheckpoint(text string) (Checkpoint, error) {
	bad := fault.New(fault.Invalid, "audit-checkpoint-malformed")
	lines := strings.Split(text, "\n")
	if len(lines) != 5 {
		return Checkpoint{}, bad
	}
	words := strings.Split(lines[3], " ")
	if len(words) != 3 {
		return Checkpoint{}, bad
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := tlog.ParseHash(lines[2])
	no, err3 := strconv.ParseInt(words[1], 10, 64)
	at, err4 := strconv.ParseInt(words[2], 10, 64)
	c := Checkpoint{Origin: lines[0], Size: size, Root: root, No: no, At: store.Time(at)}
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || size < 1 || no < 1 || c.text() != text {
		return Checkpoint{}, bad
	}
	return c, nil
}

// OpenCheckpoint checks a signed checkpoint against a verifier key. Signatures of
// others (witnesses) may stand beside. Faults: Invalid "audit-key-malformed",
// "audit-checkpoint-malformed"; Denied "audit-checkpoint-unsigned" when the key's
// signature is missing, wrong, or of another origin.
func OpenCheckpoint(msg []byte, vkey string) (Checkpoint, error) {
	v, err := verifier(vkey)
	if err != nil {
		return Checkpoint{}, err
	}
	c, _, err := openNote(msg, v)
	return c, err
}

func verifier(vkey string) (note.Verifier, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "audit-key-malformed", err)
	}
	return v, nil
}

func openNote(msg []byte, v note.Verifier) (Checkpoint, *note.Note, error) {
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, nil, fault.Wrap(fault.Denied, "audit-checkpoint-unsigned", err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if c.Origin != v.Name() {
		return Checkpoint{}, nil, fault.Newf(fault.Denied, "audit-checkpoint-unsigned", "origin differs from the key's name")
	}
	return c, n, nil
}

// openStored opens a checkpoint of ours: every byte of it is as we wrote it, so one
// signature and no slack in its base64.
func openStored(msg []byte, v note.Verifier) (Checkpoint, error) {
	c, n, err := openNote(msg, v)
	if err != nil {
		return Checkpoint{}, err
	}
	again, err := note.Sign(n)
	if err != nil || !bytes.Equal(again, msg) || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return Checkpoint{}, fault.Wrap(fault.Invalid, "audit-checkpoint-malformed", err)
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return Checkpoint{}, fault.Wrap(fault.Invalid, "audit-checkpoint-malformed", err)
	}
	return c, nil
}

// unverified reads a checkpoint without looking at its signature: for making
// proofs, whose reader checks it.
func unverified(msg []byte) (Checkpoint, error) {
	text, _, ok := strings.Cut(string(msg), "\n\n")
	if !ok {
		return Checkpoint{}, fault.New(fault.Invalid, "audit-checkpoint-malformed")
	}
	return parseCheckpoint(text + "\n")
}

// NewKey makes a signing key for the log of an origin (the operator's name, without
// spaces and "+"): skey is the secret, vkey what verifiers are given. Faults:
// Invalid "audit-key-malformed".
func NewKey(origin string) (skey, vkey string, err error) {
	skey, vkey, err = note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", "", fault.Wrap(fault.Invalid, "audit-key-malformed", err)
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", "", fault.Wrap(fault.Invalid, "audit-key-malformed", err)
	}
	return skey, vkey, nil
}

// VerifierKey returns the verifier key that belongs to a signing key. Faults:
// Invalid "audit-key-malformed".
func VerifierKey(skey string) (string, error) {
	bad := fault.New(fault.Invalid, "audit-key-malformed") // never the key itself
	signer, err := note.NewSigner(skey)
	if err != nil {
		return "", bad
	}
	// PRIVATE+KEY+name+hash+base64(algorithm byte, seed); the name has no "+", the
	// base64 may have.
	parts := strings.SplitN(skey, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", bad
	}
	public, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", bad
	}
	return note.NewEd25519VerifierKey(signer.Name(), public)
}
