package message

import (
	"github.com/vaguemestre/vaguemestre/delivery"
	"github.com/vaguemestre/vaguemestre/outcome"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// The view models and their makers, for tests of pages without an operator.
type (
	LetterPage = letterPage
	FiledLine  = filedLine
	Invitation = invitation
	Answerable = answerable
	Draft      = draft
	PartID     = partID
)

// Clean is the sanitiser.
func Clean(raw string, image func(id string) (string, []byte)) string {
	return newSanitiser().clean(raw, image)
}

// ListPage is the page of a folder.
func ListPage(v *ui.Visit, folder string, unread int, lines []Line, next string, may []string) ui.Page {
	return ui.Page{
		Template: "messages-list", Title: "msg.title",
		Data: newList(v, folder, unread, lines, next, may), JSON: newListFacts(v, unread, lines, next),
	}
}

// StoryPage is the page of a sent letter.
func StoryPage(v *ui.Visit, s outcome.Story, name func(outcome.Chapter) string) ui.Page {
	page, facts := newStory(v, s, name)
	return ui.Page{Template: "outcome-page", Title: "out.title", Data: page, JSON: facts}
}

// StoriesPage is the list of sent letters.
func StoriesPage(v *ui.Visit, lines []Line, s outcome.Story) ui.Page {
	page := storiesPage{}
	p, _ := newStory(v, s, func(outcome.Chapter) string { return "Dr Salima Berrahal" })
	for _, l := range lines {
		page.Rows = append(page.Rows, storyRow(v, l, string(s.ID), p))
	}
	return ui.Page{Template: "outcome-list", Title: "out.list.title", Data: page}
}

// ReplyPage is the form of an answer.
func ReplyPage(v *ui.Visit, allowed bool, why, text string, problems ...leaf.Problem) ui.Page {
	p := replyPage{
		URL: "/messages/m1", Subject: "Votre retour à la maison", Name: "Dr Salima Berrahal", Allowed: allowed, Why: why,
		Errors: problems, MaxFiles: maxFiles, MaxFile: maxUpload,
	}
	p.TextField = leaf.Field{ID: "text", Label: v.T("msg.reply.text"), Hint: v.T("msg.reply.text.hint"), Value: text, Rows: 9, Required: true}
	for _, problem := range problems {
		if problem.ID == "text" {
			p.TextField.Error = problem.Error
		} else {
			p.FilesError = problem.Error
		}
	}
	return p.answer(200)
}

// ReadPart, Flow, Evidence, WhyOf, KeptKey and RoomFor are small decisions.
func ReadPart(s string) (path string, document, embedded int, err error) {
	id, err := parsePart(s)
	return id.path, id.document, id.embedded, err
}

// Flow splits a text into paragraphs.
func Flow(text string, flowed bool) [][]string { return paragraphs(text, flowed) }

// Words returns the text of sanitised HTML.
func Words(clean string) string { return words(clean) }

// Evidence tells how a fact is known.
func Evidence(e outcome.Evidence) string { return evidence(e) }

// WhyOf chooses the sentence for a failure.
func WhyOf(s outcome.State) string { return whyKey(s) }

// KeptKey chooses the sentence for what was not filed.
func KeptKey(reason string) string { return keptKey(reason) }

// RoomFor is how many octets of files fit a letter.
func RoomFor(letter int64) int64 { return roomFor(letter) }

// WithEnding is the name under which a file is kept.
func WithEnding(name string, kind leaf.Kind) string { return withEnding(name, kind) }

// Framed is the document of a frame.
func Framed(clean string) []byte { return framed("fr", "Lettre", clean) }

// MaxSize is the office's limit of letters.
func MaxSize() int64 { return delivery.DefaultMaxSize }
