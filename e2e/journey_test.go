package e2e_test

import (
	"bytes"
	"crypto/tls"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vaguemestre/vaguemestre/wiretest"
)

// TestALetterGoesOutAndAReportComesBack submits to a known and to an unknown box
// of another operator: one letter arrives, one report (RFC 3464) returns.
func TestALetterGoesOutAndAReportComesBack(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, args []string) {
		w := start(t, args...)
		hospital, city := w.operator("hospital"), w.operator("city")
		from, to := hospital.Boxes[0], city.Boxes[0]
		nobody := "personne@" + city.Domains[0]
		c := w.submission(hospital, from)
		reply, err := c.Send(from.Address, []string{to.Address, nobody}, mail(from.Address, to.Address, "aller-retour", "texte"))
		if err != nil || reply.Code != 250 {
			t.Fatalf("submit: %v %s", err, reply)
		}
		there := w.inbox(city, to)
		eventually(t, 20*time.Second, "the letter arrives", func() bool { return len(subjects(t, there, "aller-retour")) == 1 })
		back := w.inbox(hospital, from)
		var raw []byte
		eventually(t, 20*time.Second, "the report comes back", func() bool {
			if _, err := back.Do("NOOP"); err != nil {
				t.Fatal(err)
			}
			raw, err = back.Fetch("*", "")
			return err == nil && len(raw) > 0
		})
		for _, want := range []string{
			"Return-Path: <>", "multipart/report", "message/delivery-status", "Action: failed", "Status: 5.1.1",
			"Final-Recipient: rfc822; " + nobody, "Auto-Submitted: auto-replied", "Subject: aller-retour",
		} {
			if !bytes.Contains(raw, []byte(want)) {
				t.Errorf("the report lacks %q:\n%s", want, raw)
			}
		}
		if bytes.Contains(raw, []byte("Final-Recipient: rfc822; "+to.Address)) {
			t.Error("the report speaks of the recipient that was served")
		}
	})
}

// TestAPatientAnswersOnlyWhoWrote holds the patient's rights at submission.
func TestAPatientAnswersOnlyWhoWrote(t *testing.T) {
	t.Parallel()
	w := start(t)
	hospital, city, patients := w.operator("hospital"), w.operator("city"), w.operator("patients")
	doctor, patient := hospital.Boxes[0], patients.Boxes[0]
	refused := func(c *wiretest.SMTP, to, reason string) {
		t.Helper()
		reply, err := c.Send(patient.Address, []string{to}, mail(patient.Address, to, "essai", "x"))
		if err != nil || reply.Code != 550 || !strings.Contains(reply.Text, reason) {
			t.Errorf("to %s: %v %s, want 550 with %s", to, err, reply, reason)
		}
	}
	c := w.submission(patients, patient)
	refused(c, doctor.Address, "correspondent-unknown")
	refused(c, patients.Boxes[1].Address, "patient-to-patient")
	refused(c, "quelquun@gmail.com", "recipient-outside-trust-space")

	reply, err := w.submission(hospital, doctor).Send(doctor.Address, []string{patient.Address}, mail(doctor.Address, patient.Address, "premier", "bonjour"))
	if err != nil || reply.Code != 250 {
		t.Fatalf("the doctor writes: %v %s", err, reply)
	}
	b := w.inbox(patients, patient)
	eventually(t, 20*time.Second, "the doctor's letter arrives", func() bool { return len(subjects(t, b, "premier")) == 1 })
	reply, err = c.Send(patient.Address, []string{doctor.Address}, mail(patient.Address, doctor.Address, "merci", "merci"))
	if err != nil || reply.Code != 250 {
		t.Fatalf("the patient answers: %v %s", err, reply)
	}
	inbox := w.inbox(hospital, doctor)
	eventually(t, 20*time.Second, "the answer arrives", func() bool { return len(subjects(t, inbox, "merci")) == 1 })
	refused(c, city.Boxes[0].Address, "correspondent-unknown")
}

// TestProfessionalsNeedTheirCertificate tries the ways in.
func TestProfessionalsNeedTheirCertificate(t *testing.T) {
	t.Parallel()
	w := start(t)
	hospital, patients := w.operator("hospital"), w.operator("patients")
	doctor, other, app := hospital.Boxes[0], hospital.Boxes[1], hospital.Boxes[3]
	dial := func(conf *tls.Config) *wiretest.SMTP {
		t.Helper()
		c, err := wiretest.DialSMTP(hospital.Submission, conf)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	if err := dial(w.config("", "")).Plain(doctor.Login, doctor.Password); err == nil {
		t.Error("a password alone let a professional in")
	}
	if err := dial(w.config(other.CertFile, other.KeyFile)).Plain(doctor.Login, doctor.Password); err == nil {
		t.Error("somebody else's certificate let a professional in")
	}
	if err := dial(w.config(hospital.CertFile, hospital.KeyFile)).Plain(doctor.Login, doctor.Password); err == nil {
		t.Error("the operator's certificate opens submission")
	}
	if _, err := dial(w.config(hospital.CertFile, hospital.KeyFile)).Do("AUTH EXTERNAL =", 235); err == nil {
		t.Error("the operator's certificate logs in")
	}
	if _, err := dial(w.config(app.CertFile, app.KeyFile)).Do("AUTH EXTERNAL =", 235); err != nil {
		t.Errorf("an application box with its certificate: %v", err)
	}
	if err := dial(w.config(doctor.CertFile, doctor.KeyFile)).Plain(doctor.Login, doctor.Password); err != nil {
		t.Errorf("certificate and app password: %v", err)
	}
	b, err := wiretest.DialIMAP(patients.IMAPS, w.config("", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Login(patients.Boxes[0].Login, patients.Boxes[0].Password); err != nil {
		t.Errorf("a patient with an app password: %v", err)
	}
}

// TestStopsCleanlyAndResumes ends the demo with SIGTERM and starts it again.
func TestStopsCleanlyAndResumes(t *testing.T) {
	t.Parallel()
	w := start(t, "--boxes", "20")
	hospital := w.operator("hospital")
	if n := len(hospital.Boxes); n != 25 {
		t.Errorf("%d boxes at the hospital, want 25", n)
	}
	city := w.operator("city")
	to := hospital.Boxes[24]
	reply, err := w.mx("hospital", "city").Send(city.Boxes[0].Address, []string{to.Address}, mail(city.Boxes[0].Address, to.Address, "avant", "x"))
	if err != nil || reply.Code != 250 {
		t.Fatalf("send: %v %s", err, reply)
	}
	open := w.inbox(hospital, to) // a session that is open while the demo stops
	if took := w.stop(); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
	open.Close()
	before := hospital
	w.run()
	hospital = w.operator("hospital")
	for i, p := range hospital.Boxes {
		if p != before.Boxes[i] {
			t.Fatalf("box %d changed over the restart", i)
		}
	}
	if n := len(subjects(t, w.inbox(hospital, to), "avant")); n != 1 {
		t.Errorf("%d letters after the restart, want 1", n)
	}
}

// TestEveryListenerHoldsForTheRoot checks each TLS listener with openssl against
// the one root that the authority publishes.
func TestEveryListenerHoldsForTheRoot(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, o := range w.ready.Operators {
		for addr, starttls := range map[string]string{
			o.MX: "smtp", o.Submission: "smtp", o.Submissions: "", o.IMAP: "imap", o.IMAPS: "", o.HTTPS: "",
		} {
			args := []string{"s_client", "-connect", addr, "-CAfile", w.ready.Authority.CAFile, "-verify_return_error", "-verify_ip", "127.0.0.1"}
			if starttls != "" {
				args = append(args, "-starttls", starttls)
			}
			cmd := exec.Command("openssl", args...)
			cmd.Stdin = strings.NewReader("")
			if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Verify return code: 0 (ok)")) {
				t.Errorf("%s at %s: %v\n%s", o.Name, addr, err, out)
			}
		}
	}
}
