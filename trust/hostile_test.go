package trust_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/identity"
	"github.com/vaguemestre/vaguemestre/trust"
)

// attack is one case of the corpus, tried on a keeper that holds a good list.
type attack struct {
	t    *testing.T
	s    *sandbox
	k    *trust.Keeper
	file string
	at   time.Time // of the list in force
	good []byte
}

// refused offers bytes: the list in force must stay, with that reason.
func (a *attack) refused(xml []byte, want string) string {
	before := a.k.Current()
	err := a.k.Refresh(a.t.Context(), (&publisher{data: xml}).fetch)
	switch {
	case reason(err) != want:
		return "got " + reason(err) + ", want " + want
	case a.k.Current() != before || before == nil:
		return "the list in force was replaced"
	}
	return ""
}

// install brings a list into force.
func (a *attack) install(l trust.List) {
	a.t.Helper()
	if err := a.k.Refresh(a.t.Context(), (&publisher{data: a.s.sign(a.t, l)}).fetch); err != nil {
		a.t.Fatal(err)
	}
}

// named signs a later list with one more domain.
func (a *attack) named(domains ...string) []byte {
	l := small(a.at.Add(time.Minute))
	for _, d := range domains {
		l.Rows = append(l.Rows, trust.Row{Domain: d, DN: hospital})
	}
	return a.s.sign(a.t, l)
}

// attacks says, for each case of the corpus, what is tried; "" is a good end.
func attacks() map[string]func(a *attack) string {
	return map[string]func(a *attack) string{
		"signature missing": func(a *attack) string {
			xml := a.named()
			from, to := bytes.Index(xml, []byte("<Signature")), bytes.Index(xml, []byte("</Signature>"))
			return a.refused(append(bytes.Clone(xml[:from]), xml[to+len("</Signature>"):]...), "whitelist-signature")
		},
		"signature of another key": func(a *attack) string {
			return a.refused(signBy(a.t, a.s.stranger, small(a.at.Add(time.Minute))), "whitelist-signer")
		},
		"older sequence/date (rollback) correctly signed": func(a *attack) string {
			return a.refused(a.s.sign(a.t, small(a.at.Add(-time.Minute))), "whitelist-rollback")
		},
		"same sequence, other content (equivocation)": func(a *attack) string {
			l := small(a.at)
			l.Rows[0].DN = city
			return a.refused(a.s.sign(a.t, l), "whitelist-equivocation")
		},
		"empty list, well signed": func(a *attack) string {
			return a.refused(a.s.sign(a.t, trust.List{Generated: a.at.Add(time.Minute)}), "whitelist-malformed")
		},
		`all domains added: "*", "."`: func(a *attack) string {
			return a.refused(a.named("*", "."), "whitelist-malformed") + a.refused(a.named("."), "whitelist-malformed")
		},
		"homoglyph domain (Cyrillic)": func(a *attack) string {
			return a.refused(a.named("\u0441hu.mss.example"), "whitelist-malformed")
		},
		"parent and child: mss.test vs a.mss.test": func(a *attack) string {
			for _, d := range []identity.Domain{"mss.example", "a.chu.mss.example"} {
				if a.k.Current().Contains(d) {
					return string(d) + " is inside"
				}
			}
			return ""
		},
		"XXE/billion laughs in the list XML": func(a *attack) string {
			bomb := `<!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>`
			xml := strings.Replace(string(a.named()), "<ListeBlanche", bomb+"<ListeBlanche", 1)
			return a.refused([]byte(xml), "whitelist-malformed") +
				a.refused([]byte(strings.Replace(xml, "<Description/>", "<Description>&b;&f;</Description>", 1)), "whitelist-malformed")
		},
		"XML signature wrapping": wrap,
		"download cut at half": func(a *attack) string {
			xml := a.named()
			return a.refused(xml[:len(xml)/2], "whitelist-malformed")
		},
		"HTTP 200 with HTML": func(a *attack) string {
			return a.refused([]byte("<!DOCTYPE html><html><body>Maintenance</body></html>"), "whitelist-malformed")
		},
		"domain moves from operator A to B": func(a *attack) string {
			if err := trust.HostAllowed(a.k.Current(), dn(a.t, hospital), "chu.mss.example"); err != nil {
				return err.Error()
			}
			l := small(a.at.Add(time.Minute))
			l.Rows[0].DN = city
			a.install(l)
			return wanted(trust.HostAllowed(a.k.Current(), dn(a.t, hospital), "chu.mss.example"), "host-not-of-this-domain")
		},
		"domain removed while a session is open": func(a *attack) string {
			l := small(a.at.Add(time.Minute))
			l.Rows = l.Rows[1:]
			a.install(l)
			dr := address(a.t, "dr@chu.mss.example")
			return wanted(trust.SenderAllowed(a.k.Current(), dn(a.t, hospital), dr), "sender-outside-trust-space") +
				wanted(trust.RecipientInside(a.k.Current(), dr), "recipient-outside-trust-space")
		},
		"list file on disk edited by hand": func(a *attack) string {
			edited := bytes.Replace(a.good, []byte("ville.mss.example"), []byte("vil1e.mss.example"), 1)
			if err := os.WriteFile(a.file, edited, 0o600); err != nil {
				return err.Error()
			}
			if openKeeper(a.t, a.file, trust.KeeperOptions{}).Current() != nil {
				return "an edited file is in force"
			}
			return ""
		},
		"cache poisoning between tenants": func(a *attack) string {
			// Another trust space has another signer; its keeper takes nothing of ours.
			policy := a.s.policy
			policy.DN = dn(a.t, nobody)
			k, err := trust.OpenKeeper(a.file, policy, trust.KeeperOptions{})
			if err != nil || k.Current() != nil {
				return "one space's list is in force in another"
			}
			return wanted(k.Refresh(a.t.Context(), (&publisher{data: a.good}).fetch), "whitelist-signer")
		},
		"time-of-check: list swapped between RCPT and send": func(a *attack) string {
			before := a.k.Current()
			a.install(small(a.at.Add(time.Minute)))
			if before.Mark() == a.k.Current().Mark() {
				return "the mark does not tell the lists apart"
			}
			return ""
		},
	}
}

// wrap moves the signed content aside and puts another in its place.
func wrap(a *attack) string {
	const root = `<ListeBlancheMSSante xmlns="https://listeblanche.mssante.fr/schema">`
	signed := string(a.named())
	signed = signed[strings.Index(signed, root):]
	from := strings.Index(signed, "<Signature")
	signature := strings.TrimSuffix(signed[from:], "</ListeBlancheMSSante>")
	evil := strings.Replace(strings.TrimPrefix(signed[:from], root), "chu.mss.example", "evil.example", 1)
	for _, xml := range []string{
		root + evil + signed + "</ListeBlancheMSSante>",
		root + evil + signature + "<X>" + signed + "</X></ListeBlancheMSSante>",
		root + evil + strings.Replace(signature, "</Signature>", "<Object>"+signed[:from]+"</ListeBlancheMSSante></Object></Signature>", 1) + "</ListeBlancheMSSante>",
	} {
		if seen := a.refused([]byte(xml), "whitelist-signature"); seen != "" {
			return seen
		}
	}
	return ""
}

func wanted(err error, want string) string {
	if reason(err) != want {
		return "got " + reason(err) + ", want " + want
	}
	return ""
}

func TestHostileLists(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CORPUS_DIR")
	if dir == "" {
		dir = "../../shared/data"
	}
	var corpus struct{ Cases []struct{ ID, Case string } }
	data, err := os.ReadFile(filepath.Join(dir, "hostile/whitelist/trust-list.json"))
	switch {
	case err == nil:
		if err := json.Unmarshal(data, &corpus); err != nil {
			t.Fatal(err)
		}
	case os.Getenv("CORPUS") == "required":
		t.Fatal(err)
	}
	left := map[string]string{
		"DNS of the list host hijacked": "the fetcher trusts one authority; then TestSignerIsPinnedBySubjectAndChain",
	}
	tries := attacks()
	for _, c := range corpus.Cases {
		if tries[c.Case] == nil && left[c.Case] == "" {
			t.Errorf("%s: %q is neither tried nor left with a reason", c.ID, c.Case)
		}
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := &attack{t: t, s: theSandbox(t), file: filepath.Join(t.TempDir(), "whitelist.xml"), at: day().Add(-time.Hour)}
			a.k = openKeeper(t, a.file, trust.KeeperOptions{})
			a.good = a.s.sign(t, small(a.at))
			if err := a.k.Refresh(t.Context(), (&publisher{data: a.good}).fetch); err != nil {
				t.Fatal(err)
			}
			if seen := try(a); seen != "" {
				t.Error(seen)
			}
		})
	}
}
