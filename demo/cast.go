package demo

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vaguemestre/vaguemestre/account"
	"github.com/vaguemestre/vaguemestre/fault"
	"github.com/vaguemestre/vaguemestre/identity"
)

// testINSOID is the OID of INS matricules in tests (spec dmp, INS): the demo
// alone treats it as qualified.
const testINSOID = "1.2.250.1.213.1.4.10"

// Cast is who is who: written to DIR/cast.json before the first box is made, so
// that a start that was cut short goes on with the same people and passwords.
type Cast struct {
	Operators []CastOperator `json:"operators"`
}

// CastOperator is one operator of the cast.
type CastOperator struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Host    string   `json:"host"`
	Title   string   `json:"title"`
	SIRET   string   `json:"siret"`
	Domains []string `json:"domains"`
	Boxes   []Person `json:"boxes"`
}

// troupe returns the operators and people that every demo begins with.
func troupe() Cast {
	return Cast{Operators: []CastOperator{
		{
			Name: "hospital", Kind: "professional", Title: "CHU Rivière", SIRET: "20003251100018",
			Host: "mx.chu-riviere.mss.example", Domains: []string{"chu-riviere.mss.example"},
			Boxes: []Person{
				{Address: "claire.martin", Kind: "PER", Family: "MARTIN", Given: "Claire", Name: "Dr_Claire_MARTIN_Cardiologie"},
				{Address: "paul.leroy", Kind: "PER", Family: "LEROY", Given: "Paul", Name: "Dr_Paul_LEROY_Pneumologie"},
				{Address: "secretariat.cardiologie", Kind: "ORG", Name: "Secrétariat de cardiologie"},
				{Address: "dossier-patient", Kind: "APP", Name: "Dossier patient informatisé"},
				{Address: "consultation.rivegauche", Kind: "CAB", Name: "Consultation Rive gauche"},
			},
		},
		{
			Name: "city", Kind: "professional", Title: "Santé Ville", SIRET: "38001234500027",
			Host: "mx.sante-ville.mss.example", Domains: []string{"sante-ville.mss.example"},
			Boxes: []Person{
				{Address: "anne.bernard", Kind: "PER", Family: "BERNARD", Given: "Anne", Name: "Dr_Anne_BERNARD_Médecine générale"},
				{Address: "hugo.petit", Kind: "PER", Family: "PETIT", Given: "Hugo", Name: "M_Hugo_PETIT_Infirmier"},
				{Address: "pharmacie.du.pont", Kind: "ORG", Name: "Pharmacie du Pont"},
				{Address: "logiciel-cabinet", Kind: "APP", Name: "Logiciel de cabinet"},
				{Address: "cabinet.des.lilas", Kind: "CAB", Name: "Cabinet des Lilas"},
			},
		},
		{
			Name: "patients", Kind: "patient", Title: "Espace patient", SIRET: "18003502400041",
			Host: "mx.patient.mes.example", Domains: []string{"patient.mes.example"},
			Boxes: []Person{
				patient("DURAND", "Jeanne", "F", "1951-03-14", "75056", 1),
				patient("MOREAU", "Louis", "M", "1948-11-02", "69123", 2),
				patient("LEFEBVRE", "Sarah", "F", "1986-07-29", "13055", 3),
				patient("GARNIER", "Karim", "M", "1979-01-17", "59350", 4),
				patient("ROUSSEL", "Inès", "F", "2004-09-05", "31555", 5),
			},
		},
	}}
}

// patient makes a fictitious patient: the matricule is sex, year, month, place of
// birth (INSEE code) and rank, with its right key.
func patient(family, given, sex, birth, place string, rank int) Person {
	digit := "1"
	if sex == "F" {
		digit = "2"
	}
	body := digit + birth[2:4] + birth[5:7] + place + fmt.Sprintf("%03d", rank%1000)
	key, err := identity.INSKey(body)
	if err != nil {
		panic(err) // thirteen digits
	}
	ins := body + key
	return Person{
		Address: ins, Kind: "PATIENT", Name: given + " " + family, Family: family, Given: given,
		INS: ins, INSOID: testINSOID, BirthDate: birth, Sex: sex,
	}
}

// extras returns n more boxes for an operator: the demo's --boxes.
func extras(o *CastOperator, n int) []Person {
	people := make([]Person, 0, n)
	for i := 1; i <= n; i++ {
		if o.Kind == "patient" {
			sex := []string{"F", "M"}[i%2]
			birth := fmt.Sprintf("%04d-%02d-%02d", 1940+i%80, 1+i/80%12, 1+i%28)
			p := patient(fmt.Sprintf("DEMO%05d", i), "Camille", sex, birth, fmt.Sprintf("%05d", 1000+i/960), i)
			people = append(people, p)
			continue
		}
		name := fmt.Sprintf("DEMO%05d", i)
		people = append(people, Person{
			Address: fmt.Sprintf("demo%05d", i), Kind: "PER", Family: name, Given: "Dominique",
			Name: "Dr_Dominique_" + name + "_Essai",
		})
	}
	return people
}

// add completes people (address, login, passwords) and appends those whose
// address the operator does not have yet.
func (o *CastOperator) add(people ...Person) {
	have, logins := make(map[string]bool, len(o.Boxes)), make(map[string]bool, len(o.Boxes))
	for _, p := range o.Boxes {
		have[strings.ToLower(p.Address)], logins[p.WebLogin] = true, p.WebLogin != ""
	}
	for _, p := range people {
		if !strings.Contains(p.Address, "@") {
			p.Address += "@" + o.Domains[0]
		}
		if have[strings.ToLower(p.Address)] {
			continue
		}
		have[strings.ToLower(p.Address)] = true
		if p = completed(p); logins[p.WebLogin] {
			p.WebLogin += "." + strings.ToLower(rand.Text()[:6])
		}
		logins[p.WebLogin] = p.WebLogin != ""
		o.Boxes = append(o.Boxes, p)
	}
}

// leastPassword is the shortest password that a person may have on the web.
const leastPassword = 12

func completed(p Person) Person {
	if p.Login == "" {
		p.Login = p.Address
	}
	if p.Kind == "APP" {
		p.Password = ""
	} else if _, err := account.ParseSecret(p.Password); err != nil {
		// Also one that was given: app passwords are made here, with 140 random bits.
		p.Password = account.NewSecret().Reveal()
	}
	if p.Kind == "PATIENT" {
		p.CertFile, p.KeyFile = "", ""
		if p.WebLogin == "" {
			name := strings.NewReplacer(" ", "-", "'", "-").Replace(p.Given + "." + p.Family)
			p.WebLogin = strings.ToLower(name + "." + rand.Text()[:6])
		}
		if len([]rune(p.WebPassword)) < leastPassword { // also one that was given
			p.WebPassword = account.NewSecret().Reveal()
		}
	}
	return p
}

// loadCast returns the cast kept in dir, or a new one, with n more boxes an
// operator and the given people, and keeps it.
func loadCast(dir string, n int, people []Person) (*Cast, error) {
	file := filepath.Join(dir, "cast.json")
	cast := new(Cast)
	switch data, err := os.ReadFile(file); {
	case errors.Is(err, fs.ErrNotExist):
		for _, o := range troupe().Operators {
			boxes := o.Boxes
			o.Boxes = nil
			o.add(boxes...)
			cast.Operators = append(cast.Operators, o)
		}
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, cast); err != nil {
			return nil, fmt.Errorf("cast.json is damaged: remove the folder to begin anew: %w", err)
		}
	}
	for i := range cast.Operators {
		cast.Operators[i].add(extras(&cast.Operators[i], n)...)
	}
	if err := cast.invite(people); err != nil {
		return nil, err
	}
	return cast, writeJSON(file, cast)
}

// invite adds people to the operators whose domains their addresses have.
func (c *Cast) invite(people []Person) error {
	for i, p := range people {
		a, err := identity.ParseAddress(p.Address)
		if err != nil {
			return fault.Newf(fault.Invalid, "people-file", "person %d: address: %w", i, err)
		}
		o := c.operatorOf(a.Domain())
		if o == nil {
			return fault.Newf(fault.Invalid, "people-file", "person %d: no operator has the domain %s", i, a.Domain())
		}
		if (p.Kind == "PATIENT") != (o.Kind == "patient") {
			return fault.Newf(fault.Invalid, "people-file", "person %d: kind %q does not live at operator %s", i, p.Kind, o.Name)
		}
		o.add(p)
	}
	return nil
}

func (c *Cast) operatorOf(d identity.Domain) *CastOperator {
	for i := range c.Operators {
		for _, have := range c.Operators[i].Domains {
			if have == string(d) {
				return &c.Operators[i]
			}
		}
	}
	return nil
}

// readPeople reads the file of --people: a JSON array of [Person].
func readPeople(file string) ([]Person, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "people-file", err)
	}
	var people []Person
	if err := json.Unmarshal(data, &people); err != nil {
		return nil, fault.Wrap(fault.Invalid, "people-file", err)
	}
	return people, nil
}
