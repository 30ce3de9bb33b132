package identity_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vaguemestre/vaguemestre/identity"
)

// TestKeys: the four verified pairs of spec dmp 3, and both departments of
// Corsica, computed from 2A -> 19 and 2B -> 18.
func TestKeys(t *testing.T) {
	t.Parallel()
	for matricule, want := range map[string]string{
		"2620875032039": "77",
		"1631278477042": "94",
		"2790351215189": "89",
		"2770763220829": "10",
		"185102A004023": key(t, 1851019004023),
		"185102B004023": key(t, 1851018004023),
	} {
		if got, err := identity.INSKey(matricule); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", matricule, got, err, want)
		}
	}
	for _, in := range []string{"", "262087503203", "26208750320390", "262087503203A", "2A20875032039", "185102C004023", "18510a2004023", "185102a004023", "-620875032039"} {
		_, err := identity.INSKey(in)
		malformed(t, in, err, "ins-malformed")
	}
}

// key computes the key of a plain number.
func key(t *testing.T, n uint64) string {
	t.Helper()
	return fmt.Sprintf("%02d", 97-n%97)
}

func TestINSIsStrictWhereWeRelyOnIt(t *testing.T) {
	t.Parallel()
	good, err := identity.ParseINS(identity.INSTest, "279035121518989")
	if err != nil || good.Matricule() != "279035121518989" || good.OID() != identity.INSTest || !good.KeyRight() || !good.Fictitious() || good.IsZero() {
		t.Errorf("good: %v", err)
	}
	corsica, err := identity.INSKey("185102A004023")
	if err != nil {
		t.Fatal(err)
	}
	if i, err := identity.ParseINS(identity.INSNIR, "185102A004023"+corsica); err != nil || i.Fictitious() {
		t.Errorf("Corsica: %v", err)
	}
	wrongSex, err := identity.INSKey("5790351215189")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ oid, matricule, want string }{
		{identity.INSNIR, "279035121518988", "ins-key-wrong"},
		{identity.INSNIR, "123456789012345", "ins-key-wrong"},
		{identity.INSNIR, "27903512151898", "ins-malformed"},
		{identity.INSNIR, "2790351215189890", "ins-malformed"},
		{identity.INSNIR, "27903512151898A", "ins-malformed"},
		{identity.INSNIR, "5790351215189" + wrongSex, "ins-malformed"},
		{identity.INSNIR, "", "ins-malformed"},
		{"1.2.3", "279035121518989", "ins-malformed"},
		{"", "279035121518989", "ins-malformed"},
	} {
		i, err := identity.ParseINS(c.oid, c.matricule)
		malformed(t, c.oid+" "+c.matricule, err, c.want)
		if !i.IsZero() {
			t.Error("an error with an identity")
		}
	}
}

func TestINSIsReadFromDocumentsAsItIs(t *testing.T) {
	t.Parallel()
	i, err := identity.ReadINS(identity.INSNIR, "199001234567801")
	if err != nil || i.KeyRight() || i.Matricule() != "199001234567801" {
		t.Errorf("%v, key right: %v", err, i.KeyRight())
	}
	_, err = identity.ReadINS(identity.INSNIR, "19900123456780")
	malformed(t, "short", err, "ins-malformed")
	if (identity.INS{}).KeyRight() {
		t.Error("nobody has a right key")
	}
}

func TestINSNeverPrintsItself(t *testing.T) {
	t.Parallel()
	i, err := identity.ReadINS(identity.INSTest, "279035121518989")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "patient", i)
	out := log.String() + fmt.Sprintf("%v %+v %#v %s %q %d %x", i, i, i, i, i, i, i) + fmt.Sprint(&i, []identity.INS{i}, struct{ P identity.INS }{i})
	if strings.Contains(out, "2790") || strings.Contains(out, "323739") {
		t.Error(out)
	}
}
