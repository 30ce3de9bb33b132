package seal_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/seal"
)

// The tests here are the rows of the key table of the design: who holds which key,
// and until when. The row of a message is modelled by its columns.
type row struct {
	body   []byte // sealed, shared by all recipients
	plain  int
	key    []byte // the session key, wrapped for this row's reader
	record []byte // the sealed summary
}

const (
	bodyID  = "01k2m3p4q5r6s7t8v9w0x1y2z3"
	itemID  = "01k2m3p4q5r6s7t8v9w0x1y2z4"
	spaceID = "01k2m3p4q5r6s7t8v9w0x1y2z5"
	summary = "From: Dr Martin; Subject: discharge report"
)

// deliver does what an MX does: it is given public keys, and nothing else.
func deliver(t *testing.T, plain []byte, readers ...[]byte) []row {
	t.Helper()
	k := seal.NewSessionKey()
	defer k.Zero()
	body := sealBytes(t, k, bodyID, plain)
	var rows []row
	for _, raw := range readers {
		public, err := seal.ParsePublicKey(raw)
		if err != nil {
			t.Fatal(err)
		}
		key, err := public.Wrap(k, bodyID)
		if err != nil {
			t.Fatal(err)
		}
		record, err := k.SealRecord("summary", itemID, []byte(summary))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{body, len(plain), key, record})
	}
	return rows
}

// mustRead opens body and summary with a session key.
func mustRead(t *testing.T, k seal.SessionKey, r row, want []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(openBytes(t, k, bodyID, r.body, r.plain), 0, int64(r.plain)))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("body: other bytes came back (%v)", err)
	}
	record, err := k.OpenRecord("summary", itemID, r.record)
	if err != nil || string(record) != summary {
		t.Errorf("summary: %q, %v", record, err)
	}
}

// newSpace makes a space and returns what its row holds.
func newSpace(t *testing.T, p seal.Platform, id string, vault bool) (public, wrapped []byte) {
	t.Helper()
	ring, err := seal.NewSpace(id, vault)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Zero()
	wrapped, err = ring.Wrapped(p)
	if err != nil {
		t.Fatal(err)
	}
	return ring.Letters().Bytes(), wrapped
}

func noLeaf(context.Context) error { return nil }

func TestDeliveryHoldsPublicKeysOnly(t *testing.T) {
	t.Parallel()
	p, plain := platform(t), letterOf(3000)
	publicA, wrappedA := newSpace(t, p, "space-a", false)
	publicB, wrappedB := newSpace(t, p, "space-b", false)
	rows := deliver(t, plain, publicA, publicB)

	for i, wrapped := range [][]byte{wrappedA, wrappedB} {
		ring, err := seal.Release(t.Context(), noLeaf, p, []string{"space-a", "space-b"}[i], wrapped)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ring.Unwrap(rows[i].key, bodyID)
		if err != nil {
			t.Fatal(err)
		}
		mustRead(t, k, rows[i], plain)
		if _, err := ring.Unwrap(rows[1-i].key, bodyID); fault.Reason(err) != "key-wrap-broken" {
			t.Errorf("a space opens another's row: %v", err)
		}
	}

	// What delivery holds cannot open: no method of a public key returns a key.
	public := reflect.TypeFor[*seal.PublicKey]()
	for m := range public.NumMethod() {
		out := public.Method(m).Type
		for o := range out.NumOut() {
			if out.Out(o) == reflect.TypeFor[seal.SessionKey]() {
				t.Errorf("PublicKey.%s returns a session key", public.Method(m).Name)
			}
		}
	}
}

func TestRelayHoldsTransitOnly(t *testing.T) {
	t.Parallel()
	p, plain := platform(t), letterOf(3000)
	public, wrapped := newSpace(t, p, spaceID, false)
	transit, stored, err := seal.NewTransit(p, "2026-11-21")
	if err != nil {
		t.Fatal(err)
	}
	rows := deliver(t, plain, public, transit.Bytes())
	space, job := rows[0], rows[1]

	worker, err := seal.OpenTransit(p, "2026-11-21", stored)
	if err != nil {
		t.Fatal(err)
	}
	k, err := worker.Unwrap(job.key, bodyID)
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, k, job, plain)

	if _, err := worker.Unwrap(space.key, bodyID); fault.Reason(err) != "key-wrap-broken" {
		t.Errorf("transit opens a space's row: %v", err)
	}
	ring, err := seal.OpenSpace(p, spaceID, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Unwrap(job.key, bodyID); fault.Reason(err) != "key-wrap-broken" {
		t.Errorf("a space opens a job's wrap: %v", err)
	}

	// The last job done deletes its wrap: the worker has nothing left to open.
	job.key = nil
	if _, err := worker.Unwrap(job.key, bodyID); fault.Reason(err) != "key-wrap-broken" {
		t.Errorf("transit opens without a wrap: %v", err)
	}
	// And each day has its own.
	if _, err := seal.OpenTransit(p, "2026-11-22", stored); fault.Reason(err) != "record-broken" {
		t.Errorf("yesterday's transit opens as today's: %v", err)
	}
}

func TestRestartWithJobsPending(t *testing.T) {
	t.Parallel()
	file, plain := filepath.Join(t.TempDir(), "platform.key"), letterOf(segment+10)
	before, err := seal.KeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	transit, stored, err := seal.NewTransit(before, "2026-11-21")
	if err != nil {
		t.Fatal(err)
	}
	job := deliver(t, plain, transit.Bytes())[0]

	after, err := seal.KeyFile(file) // another process, later
	if err != nil {
		t.Fatal(err)
	}
	worker, err := seal.OpenTransit(after, "2026-11-21", stored)
	if err != nil {
		t.Fatal(err)
	}
	if worker.Day() != "2026-11-21" || worker.Public().String() != transit.String() {
		t.Errorf("another pair came back: %s of %s", worker.Public(), worker.Day())
	}
	k, err := worker.Unwrap(job.key, bodyID)
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, k, job, plain)
}

func TestLoginReleasesTheLettersKeyForOneSession(t *testing.T) {
	t.Parallel()
	p, plain := platform(t), letterOf(3000)
	public, wrapped := newSpace(t, p, spaceID, true)
	r := deliver(t, plain, public)[0]

	leaves := 0
	leaf := func(context.Context) error { leaves++; return nil }
	session, err := seal.Release(t.Context(), leaf, p, spaceID, wrapped)
	if err != nil || leaves != 1 {
		t.Fatalf("release: %v, %d leaves", err, leaves)
	}
	k, err := session.Unwrap(r.key, bodyID)
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, k, r, plain)

	// First opening: the row's key changes its form, and only this item opens with it.
	fast, err := session.Rewrap(k, itemID)
	if err != nil {
		t.Fatal(err)
	}
	again, err := session.UnwrapFast(fast, itemID)
	if err != nil || !again.Equal(k) {
		t.Fatalf("the re-wrapped key is another one (%v)", err)
	}
	mustRead(t, again, r, plain)
	if _, err := session.UnwrapFast(fast, "another-item"); fault.Reason(err) != "record-broken" {
		t.Errorf("a re-wrap opens for another item: %v", err)
	}

	session.Zero() // the session ends
	_, e1 := session.Unwrap(r.key, bodyID)
	_, e2 := session.UnwrapFast(fast, itemID)
	_, e3 := session.Rewrap(k, itemID)
	_, e4 := session.SealRecord("folder", "id", nil)
	_, e5 := session.OpenRecord("folder", "id", nil)
	_, e6 := session.Wrapped(p)
	_, e7 := session.UnwrapVault(r.key, bodyID)
	for i, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
		if !fault.Is(err, fault.Denied) || fault.Reason(err) != "space-locked" {
			t.Errorf("after the session, use %d: %v", i+1, err)
		}
	}
}

func TestErasingTheKeyRowErasesTheItem(t *testing.T) {
	t.Parallel()
	p, plain := platform(t), letterOf(3000)
	public, wrapped := newSpace(t, p, spaceID, true)
	rows := deliver(t, plain, public, public)
	r := rows[0]
	transit, stored, err := seal.NewTransit(p, "2026-11-21")
	if err != nil {
		t.Fatal(err)
	}
	other := deliver(t, plain, transit.Bytes())[0] // another letter, of the same ids

	r.key = nil // DELETE: body and record stay, as they do in a backup

	ring, err := seal.OpenSpace(p, spaceID, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	worker, err := seal.OpenTransit(p, "2026-11-21", stored)
	if err != nil {
		t.Fatal(err)
	}
	works, _, err := seal.NewWorks(p)
	if err != nil {
		t.Fatal(err)
	}
	// Every key of the house is open, and each is tried on each thing left.
	for what, sealed := range map[string][]byte{"body": r.body, "record": r.record, "key": r.key} {
		for how, open := range map[string]func() error{
			"letters":    func() error { _, err := ring.Unwrap(sealed, bodyID); return err },
			"vault":      func() error { _, err := ring.UnwrapVault(sealed, bodyID); return err },
			"symmetric":  func() error { _, err := ring.UnwrapFast(sealed, itemID); return err },
			"space":      func() error { _, err := ring.OpenRecord("summary", itemID, sealed); return err },
			"transit":    func() error { _, err := worker.Unwrap(sealed, bodyID); return err },
			"works":      func() error { _, err := works.Open("summary", itemID, sealed); return err },
			"platform":   func() error { _, err := p.Unwrap("space/"+spaceID, sealed); return err },
			"other item": func() error { return openWith(worker, other.key, sealed, r.plain) },
		} {
			if err := open(); err == nil {
				t.Errorf("%s opens the %s of an erased item", how, what)
			}
		}
	}
	// The other copy of the same body has its own row, and still opens.
	k, err := ring.Unwrap(rows[1].key, bodyID)
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, k, rows[1], plain)
}

// openWith tries another letter's session key, as body and as record.
func openWith(worker *seal.TransitKey, key, sealed []byte, plain int) error {
	k, err := worker.Unwrap(key, bodyID)
	if err != nil {
		return err
	}
	if _, err := k.OpenRecord("summary", itemID, sealed); err == nil {
		return nil
	}
	r, err := seal.NewBodyReader(bytes.NewReader(sealed), int64(len(sealed)), int64(plain), k, bodyID)
	if err != nil {
		return err
	}
	_, err = r.ReadAt(make([]byte, 1), 0)
	return err
}

func TestReleaseWritesTheLeafFirst(t *testing.T) {
	t.Parallel()
	p := platform(t)
	_, wrapped := newSpace(t, p, spaceID, false)

	var order []string
	watched := watchedPlatform{p, func() { order = append(order, "open") }}
	leaf := func(context.Context) error { order = append(order, "leaf"); return nil }
	if _, err := seal.Release(t.Context(), leaf, watched, spaceID, wrapped); err != nil {
		t.Fatal(err)
	}
	if len(order) != 2 || order[0] != "leaf" || order[1] != "open" {
		t.Errorf("order %v, want leaf, open", order)
	}

	order = nil
	down := fault.New(fault.Transient, "audit-down")
	ring, err := seal.Release(t.Context(), func(context.Context) error { return down }, watched, spaceID, wrapped)
	if ring != nil || !errors.Is(err, down) || len(order) != 0 {
		t.Errorf("without a leaf: keyring %v, %v, %v", ring, err, order)
	}
	if ring, err := seal.Release(t.Context(), nil, watched, spaceID, wrapped); ring != nil || err == nil || len(order) != 0 {
		t.Errorf("without a recorder: keyring %v, %v, %v", ring, err, order)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ring, err = seal.Release(ctx, func(context.Context) error { cancel(); return nil }, watched, spaceID, wrapped)
	if ring != nil || !errors.Is(err, context.Canceled) || len(order) != 0 {
		t.Errorf("for a caller that left: keyring %v, %v, %v", ring, err, order)
	}
}

// watchedPlatform tells when a secret is opened.
type watchedPlatform struct {
	seal.Platform
	opened func()
}

func (w watchedPlatform) Unwrap(label string, wrapped []byte) ([]byte, error) {
	w.opened()
	return w.Platform.Unwrap(label, wrapped)
}
