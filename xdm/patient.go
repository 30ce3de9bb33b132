package xdm

// onePatient sees that all metadata of the package name one patient: one patientId,
// and under each INS authority one matricule, wherever it stands (spec dmp 4.2:
// another patient must never be mixed in).
func (p *Package) onePatient() error {
	var patient Patient
	matricules := map[string]string{}
	claim := func(c Patient, isPatientID bool) error {
		if c.IsZero() {
			return nil
		}
		if isPatientID {
			if patient.IsZero() {
				patient = c
			}
			if c != patient {
				return invalid("xdm-two-patients", "two patientId in one package")
			}
		}
		if !c.isINS() {
			return nil
		}
		if known := matricules[c.OID]; known != "" && known != c.Matricule {
			return invalid("xdm-two-patients", "two matricules of one authority")
		}
		matricules[c.OID] = c.Matricule
		return nil
	}
	for i := range p.Sets {
		if err := claim(p.Sets[i].Patient, true); err != nil {
			return err
		}
		for _, e := range p.Sets[i].Documents {
			if err := claim(e.Patient, true); err != nil {
				return err
			}
			for _, source := range []Patient{parsePatient(e.SourcePatientID), e.SourcePatient.Patient} {
				if err := claim(source, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
