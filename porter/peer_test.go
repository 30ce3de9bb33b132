package porter_test

import (
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/certs"
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/delivery/deliverytest"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/store/storetest"
)

func external() delivery.Credentials { return delivery.Credentials{Mechanism: "EXTERNAL"} }

// Spec mssante 1.12: a certificate of the trust space, in date, not revoked, whose
// subject stands in the whitelist.
func TestAPeerComesInWithAListedCertificateOnly(t *testing.T) {
	t.Parallel()
	op := deliverytest.New(t, storetest.SQLite(t), deliverytest.Options{})
	host := deliverytest.Host(deliverytest.City)
	good := op.Sandbox.Server(t, host, nil)
	revoked := op.Sandbox.Server(t, host, nil)
	if err := op.Sandbox.Revoke(revoked.Leaf.SerialNumber, certs.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	op.Refresh()
	for _, c := range []struct {
		name string
		pair certs.Pair
		want string
	}{
		{"listed", good, ""},
		{"none", certs.Pair{}, "certificate-missing"},
		{"revoked", revoked, "certificate-revoked"},
		{"not listed", op.Sandbox.Server(t, "mx.absent.example", nil), "peer-not-listed"},
		{"of another organisation", op.Sandbox.Server(t, host, func(r *certs.Request) { r.Subject.Organisation = "AUTRE" }), "peer-not-listed"},
		{"expired", op.Sandbox.Server(t, host, func(r *certs.Request) {
			r.NotBefore, r.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
		}), "certificate-expired"},
		{"of an unknown authority", deliverytest.Stranger(t).Server(t, host, nil), "certificate-untrusted"},
		{"a person's", op.Sandbox.Person(t, host), "certificate-wrong-usage"},
	} {
		peer, err := op.Porter.Peer(t.Context(), deliverytest.Caller("c", c.pair.Leaf))
		if got := reason(err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if c.want == "" && (peer.DN.IsZero() || peer.By.Role != "peer" || peer.By.Pseudonym == "") {
			t.Errorf("%s: came in as %+v", c.name, peer)
		}
	}
	op.Trust(nil)
	_, err := op.Porter.Peer(t.Context(), deliverytest.Caller("c", good.Leaf))
	if !fault.Is(err, fault.Transient) || reason(err) != "whitelist-unavailable" {
		t.Errorf("without a list: %v", err)
	}
}
