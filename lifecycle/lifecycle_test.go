package lifecycle_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/lifecycle"
	"github.com/vaguemestre/vaguemestre/mailbox"
	"github.com/vaguemestre/vaguemestre/porter"
	"github.com/vaguemestre/vaguemestre/store"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func TestMain(m *testing.M) { deliverytest.Main(m) }

// opening is a box with everything that its kind may have.
func opening(t *testing.T, op *deliverytest.Operator, kind mailbox.Kind, address string) lifecycle.Opening {
	t.Helper()
	o := lifecycle.Opening{Kind: kind, Address: deliverytest.Address(t, address), Person: account.Person{Name: "Dr_Anne_MARTIN"}}
	if kind.TakesPassword() {
		secret := account.NewSecret()
		o.Password = &secret
	}
	if kind != mailbox.Patient {
		o.Certificate = op.Sandbox.Person(t, address).Leaf
	}
	return o
}

func TestASpaceIsOpenedWithItsHolderProofsAndLeaf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		for kind, want := range map[mailbox.Kind]struct {
			person                  account.Kind
			passwords, certificates int
		}{
			mailbox.PER: {account.Professional, 1, 1}, mailbox.ORG: {account.Professional, 1, 1}, mailbox.CAB: {account.Professional, 1, 1},
			mailbox.APP: {account.Application, 0, 1}, mailbox.Patient: {account.Patient, 1, 0},
		} {
			o := opening(t, op, kind, string(kind)+"@"+deliverytest.Hospital)
			if n, err := op.Registrar.Open(t.Context(), o); n != 1 || err != nil {
				t.Fatalf("%s: %d, %v", kind, n, err)
			}
			op.Read(func(tx *store.Tx) error {
				box, err := mailbox.Find(tx, op.Works, o.Address)
				if err != nil {
					return err
				}
				vault, err := mailbox.VaultKey(tx, box.Space)
				if err != nil {
					return err
				}
				if box.Kind != kind || box.State != mailbox.Active || box.Name != o.Person.Name || (len(vault) > 0) != (kind == mailbox.Patient) {
					t.Errorf("%s: box %+v, vault key of %d octets", kind, box, len(vault))
				}
				holders, err := account.Holders(tx, account.BoxID(box.ID))
				if err != nil || len(holders) != 1 || holders[0].Rights != account.Everything {
					t.Fatalf("%s: holders %+v, %v", kind, holders, err)
				}
				person, err := account.ByID(tx, op.Works, holders[0].Person)
				if err != nil {
					return err
				}
				passwords, err := account.Passwords(tx, op.Works, account.BoxID(box.ID))
				if err != nil {
					return err
				}
				certificates, err := account.Certificates(tx, op.Works, account.BoxID(box.ID))
				if person.Kind != want.person || len(passwords) != want.passwords || len(certificates) != want.certificates {
					t.Errorf("%s: a %s with %d passwords, %d certificates", kind, person.Kind, len(passwords), len(certificates))
				}
				return err
			})
		}
		if n := len(op.Leaves("space.open")); n != 5 {
			t.Errorf("%d leaves", n)
		}
	})
}

func TestOpeningTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		var all []lifecycle.Opening
		for i := range 40 { // more than one transaction takes
			all = append(all, opening(t, op, mailbox.Patient, fmt.Sprintf("p%d@%s", i, deliverytest.Patients)))
		}
		for _, c := range []struct {
			what string
			some []lifecycle.Opening
			want int
		}{
			{"the first ones", all[:3], 3},
			{"all", all, 37},
			{"all again", all, 0},
			{"one of them as another kind", []lifecycle.Opening{opening(t, op, mailbox.PER, all[0].Address.String())}, 0},
		} {
			if n, err := op.Registrar.Open(t.Context(), c.some...); n != c.want || err != nil {
				t.Errorf("%s: %d opened, %v; want %d", c.what, n, err, c.want)
			}
		}
		twin := opening(t, op, mailbox.PER, "twin@"+deliverytest.Hospital)
		if n, err := op.Registrar.Open(t.Context(), twin, twin); n != 1 || err != nil {
			t.Errorf("the same twice in one call: %d, %v", n, err)
		}
		for table, want := range map[string]int{"box": 41, "space": 41, "person": 41, "holder": 41, "app_password": 41, "certificate": 1} {
			if got := op.Count(table); got != want {
				t.Errorf("%d rows in %s, want %d", got, table, want)
			}
		}
	})
}

func TestTwoNodesOpenTheSameSpacesAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		var all []lifecycle.Opening
		for i := range 6 {
			all = append(all, opening(t, op, mailbox.Patient, fmt.Sprintf("p%d@%s", i, deliverytest.Patients)))
		}
		counts := make([]int, 4)
		var wg sync.WaitGroup
		for i := range counts {
			wg.Go(func() {
				var err error
				if counts[i], err = op.Registrar.Open(t.Context(), all...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		total := 0
		for _, n := range counts {
			total += n
		}
		if total != len(all) || op.Count("box") != len(all) || op.Count("person") != len(all) {
			t.Errorf("opened %v; %d boxes, %d people", counts, op.Count("box"), op.Count("person"))
		}
	})
}

func TestTheRulesOfTheKindsAreHeldBeforeAnythingIsOpened(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	good := opening(t, op, mailbox.PER, "anne@"+deliverytest.Hospital)
	secret := account.NewSecret()
	person := op.Sandbox.Person(t, "x")
	for name, change := range map[string]func(*lifecycle.Opening){
		"an application with a password": func(o *lifecycle.Opening) { o.Kind, o.Password = mailbox.APP, &secret },
		"a patient with a certificate":   func(o *lifecycle.Opening) { o.Kind, o.Certificate = mailbox.Patient, person.Leaf },
		"no kind":                        func(o *lifecycle.Opening) { o.Kind = "" },
		"no address":                     func(o *lifecycle.Opening) { o.Address = deliverytest.Address(t, "") },
		"a login without a password":     func(o *lifecycle.Opening) { o.WebLogin = "anne" },
		"an application with a login": func(o *lifecycle.Opening) {
			o.Kind, o.Password, o.WebLogin, o.WebPassword = mailbox.APP, nil, "x", "cheval pile agrafe"
		},
	} {
		bad := good
		change(&bad)
		n, err := op.Registrar.Open(t.Context(), good, bad)
		if n != 0 || !fault.Is(err, fault.Invalid) || fault.Reason(err) != "opening-malformed" {
			t.Errorf("%s: %d opened, %v", name, n, err)
		}
	}
	if n := op.Count("box"); n != 0 {
		t.Errorf("%d boxes", n)
	}
}

func TestAPersonIsGivenALoginOnTheWeb(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		o := opening(t, op, mailbox.Patient, "ruth@"+deliverytest.Patients)
		o.WebLogin, o.WebPassword = "ruth", "short"
		if n, err := op.Registrar.Open(t.Context(), o); n != 0 || fault.Reason(err) != "password-too-short" || op.Count("box") != 0 {
			t.Errorf("a short password: %d, %v", n, err)
		}
		o.WebPassword = "cheval pile agrafe"
		for _, want := range []int{1, 0} {
			if n, err := op.Registrar.Open(t.Context(), o); n != want || err != nil {
				t.Errorf("%d, %v; want %d", n, err, want)
			}
		}
		twin := opening(t, op, mailbox.Patient, "twin@"+deliverytest.Patients)
		twin.WebLogin, twin.WebPassword = "Ruth", o.WebPassword
		if n, err := op.Registrar.Open(t.Context(), twin); n != 0 || fault.Reason(err) != "login-exists" || op.Count("box") != 1 {
			t.Errorf("somebody else's login: %d, %v", n, err)
		}
		s, err := op.Porter.SignIn(t.Context(), porter.WebAttempt{Login: "RUTH", Password: o.WebPassword})
		if err != nil || !s.Box().Address.Equal(o.Address) {
			t.Errorf("signed in: %v", err)
		}
	})
}

func TestAStateChangesWithALeaf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		op := deliverytest.New(t, db, deliverytest.Options{})
		h := op.Open(mailbox.PER, "anne@"+deliverytest.Hospital)
		box, err := op.Registrar.State(t.Context(), h.Address, mailbox.Suspended)
		if err != nil || box.State != mailbox.Suspended {
			t.Errorf("%+v, %v", box, err)
		}
		if box, err = op.Registrar.State(t.Context(), h.Address, ""); err != nil || box.State != mailbox.Suspended {
			t.Errorf("a look: %+v, %v", box, err)
		}
		_, err = op.Registrar.State(t.Context(), h.Address, "asleep")
		if fault.Reason(err) != "box-malformed" {
			t.Errorf("no such state: %v", err)
		}
		_, err = op.Registrar.State(t.Context(), deliverytest.Address(t, "x@"+deliverytest.Hospital), mailbox.Closed)
		if fault.Reason(err) != "box-unknown" {
			t.Errorf("no such box: %v", err)
		}
		if n := len(op.Leaves("box.state")); n != 1 {
			t.Errorf("%d leaves", n)
		}
	})
}
