package trust_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/trust"
)

// publisher is what the list's host serves.
type publisher struct {
	data []byte
	tag  string
	err  error
	asks []string // the tags asked with
}

func (p *publisher) fetch(_ context.Context, tag string) (trust.Fetched, error) {
	p.asks = append(p.asks, tag)
	if p.err != nil {
		return trust.Fetched{}, p.err
	}
	if tag != "" && tag == p.tag {
		return trust.Fetched{Unchanged: true}, nil
	}
	return trust.Fetched{Data: p.data, Tag: p.tag}, nil
}

func openKeeper(t *testing.T, file string, o trust.KeeperOptions) *trust.Keeper {
	t.Helper()
	k, err := trust.OpenKeeper(file, theSandbox(t).policy, o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeeperKeepsTheLastGoodList(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	file := filepath.Join(t.TempDir(), "whitelist.xml")
	var log bytes.Buffer
	var told []trust.Mark
	o := trust.KeeperOptions{
		Logger:   slog.New(slog.NewTextHandler(&log, nil)),
		Accepted: func(_ context.Context, m trust.Mark) error { told = append(told, m); return nil },
	}
	k := openKeeper(t, file, o)
	if k.Current() != nil {
		t.Error("a list out of nowhere")
	}
	at := day().Add(-time.Hour)
	host := &publisher{data: s.sign(t, small(at)), tag: "v1"}
	if err := k.Refresh(t.Context(), host.fetch); err != nil {
		t.Fatal(err)
	}
	first := k.Current()
	if first == nil || len(told) != 1 || told[0] != first.Mark() || k.Mark() != first.Mark() {
		t.Fatalf("told of %v", told)
	}
	older, equivocal := small(at.Add(-time.Minute)), small(at)
	equivocal.Rows = equivocal.Rows[1:]
	for name, c := range map[string]struct {
		host   publisher
		reason string
	}{
		"no answer":    {publisher{err: errors.New("no route")}, "internal"},
		"HTML":         {publisher{data: []byte("<html></html>")}, "whitelist-malformed"},
		"cut at half":  {publisher{data: host.data[:len(host.data)/2]}, "whitelist-malformed"},
		"older":        {publisher{data: s.sign(t, older)}, "whitelist-rollback"},
		"equivocation": {publisher{data: s.sign(t, equivocal)}, "whitelist-equivocation"},
		"other signer": {publisher{data: signBy(t, s.stranger, small(day()))}, "whitelist-signer"},
	} {
		log.Reset()
		if err := k.Refresh(t.Context(), c.host.fetch); reason(err) != c.reason {
			t.Errorf("%s: got %v, want %s", name, err, c.reason)
		}
		if k.Current() != first || !strings.Contains(log.String(), "whitelist_refresh_failed") {
			t.Errorf("%s: list replaced or no alarm: %s", name, log.String())
		}
	}
	newer := small(at.Add(time.Minute))
	newer.Rows = newer.Rows[1:]
	if err := k.Refresh(t.Context(), (&publisher{data: s.sign(t, newer)}).fetch); err != nil {
		t.Fatal(err)
	}
	if k.Current() == first || k.Current().Contains("chu.mss.example") || len(told) != 2 {
		t.Error("the newer list did not come into force")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: %v, %v", info.Mode(), err)
	}
}

func TestKeeperVerifiesItsFileAgain(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	file := filepath.Join(t.TempDir(), "whitelist.xml")
	at := day().Add(-time.Hour)
	xml := s.sign(t, small(at))
	if err := openKeeper(t, file, trust.KeeperOptions{}).Refresh(t.Context(), (&publisher{data: xml}).fetch); err != nil {
		t.Fatal(err)
	}
	again := openKeeper(t, file, trust.KeeperOptions{})
	if again.Current() == nil || !again.Current().Contains("chu.mss.example") {
		t.Fatal("the list was forgotten")
	}
	known := again.Mark()
	if openKeeper(t, file, trust.KeeperOptions{Known: known}).Current() == nil {
		t.Error("the newest list itself was refused")
	}
	// The signer's end, after the list came, does not undo it.
	later := func() time.Time { return s.stamp.Leaf.NotAfter.Add(time.Hour) }
	if openKeeper(t, file, trust.KeeperOptions{Clock: later}).Current() == nil {
		t.Error("refused after the signer's end")
	}
	// A file put back from a backup is older than what the database knows.
	known.Generated = known.Generated.Add(time.Minute)
	var log bytes.Buffer
	o := trust.KeeperOptions{Known: known, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if openKeeper(t, file, o).Current() != nil || !strings.Contains(log.String(), "whitelist-rollback") {
		t.Errorf("a rollback on disk went through: %s", log.String())
	}
	// An edited file is not believed, and a refresh mends it.
	edited := bytes.Replace(xml, []byte("ville.mss.example"), []byte("vil1e.mss.example"), 1)
	if err := os.WriteFile(file, edited, 0o600); err != nil {
		t.Fatal(err)
	}
	k := openKeeper(t, file, trust.KeeperOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if k.Current() != nil || !strings.Contains(log.String(), "whitelist-signature") {
		t.Errorf("an edited file went through: %s", log.String())
	}
	host := &publisher{data: xml, tag: "v1"}
	if err := k.Refresh(t.Context(), host.fetch); err != nil || k.Current() == nil {
		t.Errorf("not mended: %v", err)
	}
}

func TestUnchangedListIsConfirmed(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	now := day()
	o := trust.KeeperOptions{Clock: func() time.Time { return now }, MaxAge: 48 * time.Hour}
	k := openKeeper(t, filepath.Join(t.TempDir(), "whitelist.xml"), o)
	if err := k.Refresh(t.Context(), func(context.Context, string) (trust.Fetched, error) {
		return trust.Fetched{Unchanged: true}, nil
	}); err == nil {
		t.Error("an unknown list was confirmed")
	}
	host := &publisher{data: s.sign(t, small(now)), tag: "v1"}
	for range 3 {
		if err := k.Refresh(t.Context(), host.fetch); err != nil {
			t.Fatal(err)
		}
		now = now.Add(40 * time.Hour)
	}
	if got := strings.Join(host.asks, ","); got != ",v1,v1" {
		t.Errorf("asked with %q", got)
	}
	if k.Current() == nil {
		t.Error("a confirmed list went out of force")
	}
	host.err = errors.New("no route")
	now = now.Add(9 * time.Hour)
	if err := k.Refresh(t.Context(), host.fetch); err == nil || k.Current() != nil {
		t.Error("a list past its age is still in force")
	}
	if err := trust.RecipientInside(k.Current(), address(t, "dr@chu.mss.example")); !fault.Is(err, fault.Transient) {
		t.Errorf("got %v", err)
	}
	host.err = nil
	if err := k.Refresh(t.Context(), host.fetch); err != nil || k.Current() == nil {
		t.Errorf("not in force again: %v", err)
	}
}

func TestStaleListIsAnAlarm(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	now := day()
	var log bytes.Buffer
	o := trust.KeeperOptions{Clock: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	k := openKeeper(t, filepath.Join(t.TempDir(), "whitelist.xml"), o)
	host := &publisher{data: s.sign(t, small(now))}
	if err := k.Refresh(t.Context(), host.fetch); err != nil {
		t.Fatal(err)
	}
	host.err = errors.New("no route")
	for _, c := range []struct {
		age   time.Duration
		alarm bool
	}{{23 * time.Hour, false}, {25 * time.Hour, true}} {
		now = host.day(s, t).Add(c.age)
		log.Reset()
		if err := k.Refresh(t.Context(), host.fetch); err == nil || k.Current() == nil {
			t.Error("the list went out of force")
		}
		if got := strings.Contains(log.String(), "whitelist_stale"); got != c.alarm {
			t.Errorf("after %v: alarm %v", c.age, got)
		}
	}
}

// day returns the date of the published list.
func (p *publisher) day(s *sandbox, t *testing.T) time.Time {
	t.Helper()
	out, err := trust.Verify(p.data, s.policy, trust.Mark{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return out.Generated()
}

func TestBrakeStopsAMassRemoval(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	at := day().Add(-time.Hour)
	o := trust.KeeperOptions{Brake: trust.RemovalBrake(0.3)}
	k := openKeeper(t, filepath.Join(t.TempDir(), "whitelist.xml"), o)
	for i, c := range []struct {
		drop   int
		reason string
	}{{0, ""}, {1, ""}, {4, "whitelist-mass-removal"}, {2, ""}} {
		l := small(at.Add(time.Duration(i) * time.Minute))
		l.Rows = l.Rows[c.drop:]
		err := k.Refresh(t.Context(), (&publisher{data: s.sign(t, l)}).fetch)
		if reason(err) != c.reason {
			t.Errorf("step %d: got %v, want %q", i, err, c.reason)
		}
	}
}

func TestAcceptedErrorIsReturned(t *testing.T) {
	t.Parallel()
	s := theSandbox(t)
	o := trust.KeeperOptions{Accepted: func(context.Context, trust.Mark) error { return fault.New(fault.Transient, "database-away") }}
	k := openKeeper(t, filepath.Join(t.TempDir(), "whitelist.xml"), o)
	err := k.Refresh(t.Context(), (&publisher{data: s.sign(t, small(day()))}).fetch)
	if reason(err) != "database-away" || k.Current() == nil {
		t.Errorf("got %v, list %v", err, k.Current())
	}
}

// TestRunRetriesSooner holds the background refresher to its periods.
func TestRunRetriesSooner(t *testing.T) {
	t.Parallel()
	policy := theSandbox(t).policy
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, err := trust.OpenKeeper(filepath.Join(dir, "whitelist.xml"), policy, trust.KeeperOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 13*time.Minute)
		defer cancel()
		k.Run(ctx, func(context.Context, string) (trust.Fetched, error) {
			at = append(at, time.Since(start))
			return trust.Fetched{}, errors.New("down")
		}, time.Hour)
		if len(at) != 3 || at[1] != 6*time.Minute {
			t.Errorf("fetched at %v", at)
		}
	})
}
