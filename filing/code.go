package filing

import "github.com/vaguemestre/vaguemestre/letter"

// codeOf returns the integration code that tells a sender's software why documents
// were not filed (spec dmp 4.4), zero for no reason.
func codeOf(reason string) letter.Integration {
	switch reason {
	case "":
		return 0
	case reasonTypeUnknown:
		return letter.IntegrationVersion
	case "replacement-of-another-author":
		return letter.IntegrationAuthor
	case reasonPatientUnknown:
		return letter.IntegrationPatient
	case reasonINSMissing, warningNotInDocument:
		return letter.IntegrationINSMissing
	case reasonIdentityDiffers, "xdm-two-patients", "cda-two-patients", "cda-ins-split":
		return letter.IntegrationINSDiffers
	case reasonIdentityIncomplete:
		return letter.IntegrationINSIncomplete
	}
	return letter.IntegrationOther
}
