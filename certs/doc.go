// Package certs is the public key infrastructure of the trust space: it decides
// whether a certificate may be believed, makes the TLS configurations of every
// listener and caller, and holds the sandbox authority that plays IGC-Santé in
// the demo and in tests.
//
// The one call most readers need is [Checker.Check]:
//
//	verdict, err := checker.Check(ctx, state.PeerCertificates, certs.AsPeer, now)
//
// It answers with the subject as an [identity.DN], or with a fault whose reason
// a door can print. Whether that DN may send for a domain is for package trust.
//
// # What is checked, in this order
//
//	chain       leaf ← pinned issuing authority ← pinned root
//	            what the peer sends beside its leaf is not looked at
//	strength    RSA 2048..8192 with e > 2^16, or ECDSA P-256 and up; SHA-256 and up
//	shape       not a CA, sizes bounded, names well formed
//	usage       key usage and extended key usage named outright
//	dates       of the leaf and of the authorities above it
//	revocation  of the leaf and of the issuing authority, by cached CRLs
//
// # Reasons
//
//	certificate-missing        Denied     the peer showed none
//	certificate-untrusted      Denied     does not chain to a pinned issuing authority
//	certificate-weak           Denied     key or signature below the policy
//	certificate-malformed      Denied     CA as leaf, too large, unreadable names
//	certificate-wrong-usage    Denied     key usage or extended key usage of another profile
//	certificate-not-yet-valid  Denied     NotBefore lies ahead
//	certificate-expired        Denied     NotAfter has passed
//	certificate-revoked        Denied     on the authority's CRL
//	certificate-wrong-name     Denied     a server that answers for another host
//	revocation-unknown         Transient  no CRL that may still be relied on
//
// # Revocation
//
// [CRLs] keeps the last good CRL of each authority in memory and on disk:
//
//	DIR/NAME.crl   the CRL as received (DER), replaced as a whole
//
// A CRL is used until its nextUpdate, then for a grace (24 hours) with an alarm
// in the log, then not at all: revocation is unknown, which is Transient, so that
// the queue keeps what cannot be judged. A certificate on a CRL is refused however
// old the CRL. An authority whose CRL was never seen is never believed.
//
// # Invariants
//
//   - No URL out of a certificate is ever followed: CRL addresses come from the
//     configuration.
//   - A CRL is installed only if its authority signed it and it is newer than the
//     one in force.
//   - A check reads memory only: no network, no disk, no clock of its own.
//   - The sandbox authority lints each certificate before its key signs it.
//
// # The sandbox authority on disk
//
//	DIR/root.pem, root.key                    the root and its key (0600)
//	DIR/organisations.pem, organisations.key  the issuing authority and its key
//	DIR/revoked/SERIAL                        one file per revocation: time and reason
//	DIR/public/…                              what it publishes: CRLs and certificates
//
// # What it does not do
//
// No OCSP: the CRL rules above answer ECO.1.1.6 and ECO.1.1.7. No network: the
// caller hands in how a CRL is fetched and publishes [Authority.Public] itself.
package certs
