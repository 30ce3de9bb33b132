package identity

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// DNFromRaw reads the DER of a certificate's name (x509.Certificate.RawSubject
// or RawIssuer). It fails with the reason "dn-malformed".
func DNFromRaw(der []byte) (DN, error) {
	if len(der) > maxDN {
		return DN{}, Malformed("dn-malformed")
	}
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &seq); err != nil || len(rest) > 0 {
		return DN{}, Malformed("dn-malformed")
	}
	return DNFromRDN(seq)
}

// DNFromRDN takes a name as crypto/x509/pkix holds it: country first. It fails
// with the reason "dn-malformed", also when a value is no text.
func DNFromRDN(seq pkix.RDNSequence) (DN, error) {
	if len(seq) > maxRDN {
		return DN{}, Malformed("dn-malformed")
	}
	rdns := make([]rdn, 0, len(seq))
	for _, set := range slices.Backward(seq) {
		if len(set) == 0 || len(set) > maxRDN {
			return DN{}, Malformed("dn-malformed")
		}
		part := make(rdn, len(set))
		for i, a := range set {
			text, ok := a.Value.(string)
			if !ok {
				return DN{}, Malformed("dn-malformed")
			}
			part[i] = Attribute{Type: shortType(a.Type.String()), Value: text}
		}
		rdns = append(rdns, part)
	}
	return newDN(rdns)
}

// berString decodes one string value, as it stands behind "#" in a name's text.
func berString(der []byte) (string, bool) {
	var v any
	rest, err := asn1.Unmarshal(der, &v)
	if err != nil || len(rest) > 0 {
		return "", false
	}
	s, ok := v.(string)
	return s, ok
}
