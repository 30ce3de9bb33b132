package cda

// Words are the few words that a rendering adds. The zero value is French.
type Words struct {
	// Table names a table that has no caption and stands in no titled section.
	Table string
	// Picture and Attachment name a picture or file without a caption; Unshown
	// stands for one that cannot be shown.
	Picture, Attachment, Unshown string
	// High to VeryAbnormal say what an observation's interpretation code says.
	High, VeryHigh, Low, VeryLow, Abnormal, VeryAbnormal string
}

// French returns the words of a French page.
func French() Words {
	return Words{
		Table: "Tableau", Picture: "Image", Attachment: "Fichier joint", Unshown: "Contenu joint non affichable",
		High: "élevé", VeryHigh: "très élevé", Low: "bas", VeryLow: "très bas",
		Abnormal: "anormal", VeryAbnormal: "très anormal",
	}
}

// English returns the words of an English page.
func English() Words {
	return Words{
		Table: "Table", Picture: "Picture", Attachment: "Attached file", Unshown: "Attached content that cannot be shown",
		High: "high", VeryHigh: "very high", Low: "low", VeryLow: "very low",
		Abnormal: "abnormal", VeryAbnormal: "very abnormal",
	}
}

// interpretation returns the word and the class of a code.
func (w Words) interpretation(code interpretation) (word, class string) {
	switch code {
	case "H", ">", "HX":
		return w.High, "cda-high"
	case "HH", "HU":
		return w.VeryHigh, "cda-very-high"
	case "L", "<", "LX":
		return w.Low, "cda-low"
	case "LL", "LU":
		return w.VeryLow, "cda-very-low"
	case "AA":
		return w.VeryAbnormal, "cda-very-abnormal"
	default:
		return w.Abnormal, "cda-abnormal"
	}
}
