// Package deliverytest gives tests an operator of the trust space, made of real
// parts: a database, a blob folder, a platform key, a porter, a sorting office and a
// signed whitelist. It has no doors; a test plays the SMTP dialogue on a
// delivery.Visit, or puts a door in front.
//
//	func TestMain(m *testing.M) { deliverytest.Main(m) }
//
//	op := deliverytest.New(t, db, deliverytest.Options{})
//	anne := op.Open(mailbox.PER, "anne@"+deliverytest.Hospital)
//	v := op.Peer("bob@" + deliverytest.City)      // the city's operator at our MX
//	err := deliverytest.Send(v, "bob@…", []string{"anne@…"}, deliverytest.Text("bob@…", "Bonjour"))
//	letters := op.Inbox(anne)
//
// The authority, its RSA keys and the signed lists are made once per test binary:
// they are what costs time.
package deliverytest
