// Package trust is the trust space: the signed whitelist (liste blanche) of
// domains and of the certificate subjects that may speak for them, and the
// verdicts on who may write to whom.
//
// The one call most readers need is a verdict on the list in force:
//
//	err := trust.SenderAllowed(keeper.Current(), peerDN, sender)
//
// # The list
//
//	<ListeBlancheMSSante xmlns="https://listeblanche.mssante.fr/schema">
//	  <DateDeGeneration>2025-02-28T15:42:07Z</DateDeGeneration>
//	  <ListeDomaines>
//	    <Domaine>                                      one row: a domain, a subject
//	      <Nom>chu.mss.example</Nom>
//	      <DNCertificatOperateur>CN=…,OU=…,O=…,ST=…,C=FR</DNCertificatOperateur>
//	      <Description/> <ResponsableContact/> <SupportContact/> <DateMAJ/>
//	    </Domaine> …
//	  </ListeDomaines>
//	  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#">…</Signature>
//	</ListeBlancheMSSante>
//
// A domain has one to five subjects, a subject up to thousands of domains. [Verify]
// reads a list, [Sign] writes one for the sandbox authority, a [Space] is what a
// verified list says, and a [Keeper] holds the one in force.
//
// # Verdicts
//
// Pure functions on facts. Each refusal is a fault with a reason; doors own the
// words. All of them answer Transient, "whitelist-unavailable", without a list.
//
//	reason                          kind    given by              it means
//	sender-peer-unknown             Denied  SenderAllowed, Admit  the peer's DN is in no row
//	sender-outside-trust-space      Denied  SenderAllowed, Admit  the sender's domain is in no row
//	sender-not-of-this-operator     Denied  SenderAllowed, Admit  listed, but not for this peer's DN
//	null-sender-peer-unknown        Denied  SenderAllowed, Admit  "<>" from a DN that is in no row
//	null-sender-not-a-report        Denied  Admit                 "<>" with a content that is no report
//	from-outside-trust-space        Denied  Admit                 the author's domain is in no row, or there is no author
//	from-not-of-this-operator       Denied  Admit                 the author's domain is not this peer's
//	sender-not-of-this-box          Denied  Admit                 submission under another envelope sender
//	from-not-of-this-box            Denied  Admit                 submission under another author
//	recipient-outside-trust-space   Denied  RecipientInside,      the recipient's domain is in no row
//	                                        HostAllowed
//	host-not-of-this-domain         Denied  HostAllowed           the next hop's DN is not the domain's
//
// The reasons of a refused list stand at [Verify] and [RemovalBrake].
//
// # Invariants
//
//   - Only the tree that the signature library returns is read; the signature has
//     one form, and the library is left nothing to choose.
//   - The signer is pinned by subject and chain, never by key.
//   - Dates only go forward; two lists of one date are an equivocation.
//   - Domains match whole; subjects match as [identity.DN]. No suffix, no text.
//   - A list that is refused changes nothing: the last good one stays in force.
//
// # What it does not do
//
// No network: how the list is fetched is handed in. No certificate is judged here:
// see [SignerCheck]. Whether a box exists, and whom a patient may answer, is for
// other houses.
package trust
