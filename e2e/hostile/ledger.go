package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// leaf is one entry of an operator's audit list.
type leaf struct {
	Act, Object, Result, Reason, Actor string
	TS                                 int64 // in microseconds
	line                               string
}

// ledger reads an operator's audit list.
func (c *court) ledger(operator string, since time.Time) ([]leaf, error) {
	config := filepath.Join(c.grounds.keep(), "operators", operator, "vaguemestre.toml")
	out, err := exec.Command(c.binary, "audit", "list", "--config", config, "--since", since.UTC().Format(time.RFC3339Nano)).Output()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var all []leaf
	for line := range strings.SplitSeq(string(out), "\n") {
		l := leaf{line: line}
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return nil, fmt.Errorf("audit: a line of the list is no leaf: %w", err)
		}
		all = append(all, l)
	}
	return all, nil
}

// tells reports whether a leaf tells what became of what a letter brought.
func (l leaf) tells() bool {
	return strings.HasPrefix(l.Act, "document.file") || strings.HasPrefix(l.Act, "invitation.")
}

// audit holds the patients' audit list against every letter that was carried: one
// leaf, with a reason where something was refused, and no content. Leaves come a
// moment after what they tell of.
func (c *court) audit(all []*trial, since time.Time) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		leaves, err := c.ledger("patients", since)
		if err != nil {
			return err
		}
		complete := true
		for _, t := range all {
			t.leaves = t.mine(leaves)
			complete = complete && (len(t.leaves) > 0 || t.err != nil)
		}
		if complete || time.Now().After(end) {
			break
		}
	}
	for _, t := range all {
		if t.err == nil && t.v.holds("audit") {
			t.err = t.told()
		}
	}
	return nil
}

// mine are the leaves about one letter: by its id, by its documents, or for one that
// was refused at the door by the time.
func (t *trial) mine(all []leaf) (found []leaf) {
	for _, l := range all {
		kind, id, _ := strings.Cut(l.Object, ":")
		switch {
		case !t.accepted():
			if at := time.UnixMicro(l.TS); l.Act == "smtp.refused" && at.After(t.begin) && at.Before(t.end.Add(time.Second)) {
				found = append(found, l)
			}
		case !l.tells():
		case kind == "letter" && id == t.letter, kind == "document" && slices.ContainsFunc(t.fresh, func(d document) bool { return d.ID == id }):
			found = append(found, l)
		}
	}
	return found
}

// told holds the leaves about one letter.
func (t *trial) told() error {
	if len(t.leaves) != 1 {
		return fmt.Errorf("audit: %d leaves tell what became of the file, wanted one", len(t.leaves))
	}
	l := t.leaves[0]
	if l.Result != "done" && l.Reason == "" {
		return fmt.Errorf("audit: the leaf of the refusal gives no reason")
	}
	if len(t.fresh) == 0 && l.Act == "document.file" && l.Result == "done" {
		return fmt.Errorf("audit: the leaf tells of a filing that did not happen")
	}
	for _, content := range []string{t.v.Marker, t.patient.INS, t.patient.Address, t.patient.Family} {
		if content != "" && strings.Contains(l.line, content) {
			return fmt.Errorf("audit: the leaf holds content")
		}
	}
	return nil
}

// inside holds that what the operators sent since went to one another: each letter
// that the patients' operator relayed is a notification or an answer of this runner,
// and came in at another operator of the trust space. The others relayed nothing.
func (c *court) inside(since time.Time, answers int) error {
	var last error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var relayed, reported, received int
		for _, operator := range []string{"patients", "hospital", "city"} {
			leaves, err := c.ledger(operator, since)
			if err != nil {
				return err
			}
			for _, l := range leaves {
				switch {
				case operator == "patients" && l.Act == "letter.relay":
					relayed++
				case operator == "patients" && l.Act == "letter.report":
					reported++
				case operator != "patients" && l.Act == "letter.receive":
					received++
				case operator != "patients" && l.Act == "letter.relay":
					return fmt.Errorf("no-outside: the operator %s relayed a letter", operator)
				}
			}
		}
		if relayed == reported+answers && relayed == received {
			return nil
		}
		last = fmt.Errorf("no-outside: the patients' operator made %d notifications, relayed %d letters, and the others received %d", reported, relayed, received)
	}
	return last
}
