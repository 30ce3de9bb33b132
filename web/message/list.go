package message

import (
	"net/url"
	"time"

	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// The folders that a list shows, as they stand in ?folder=.
const (
	inbox = "inbox"
	sent  = "sent"
	trash = "trash"
)

// Line is a letter in a list, opened.
type Line struct {
	ID string
	// Name is the sender's name, of a sent letter the recipient's; empty for none.
	Name    string
	Subject Subject
	Preview string
	Date    time.Time
	Unread  bool
	// Answered says that the patient wrote back.
	Answered bool
	// Files is how many attachments it has.
	Files int
}

// listPage is what the template of a list shows.
type listPage struct {
	Folder   string
	Unread   int
	Folders  []leaf.Link
	Groups   []letterGroup
	Next     string
	MayWrite []string
}

type letterGroup struct {
	Head string
	Rows []leaf.LetterRow
}

// newList makes the page of a folder. The lines are the newest first; next is the
// cursor of the page after, empty for none.
func newList(v *ui.Visit, folder string, unread int, lines []Line, next string, mayWrite []string) listPage {
	p := listPage{Folder: folder, Unread: unread, MayWrite: mayWrite}
	for _, name := range []string{inbox, sent, trash} {
		href := "/messages"
		if name != inbox {
			href += "?folder=" + name
		}
		p.Folders = append(p.Folders, leaf.Link{Href: href, Text: v.T("msg.folder." + name), Current: name == folder})
	}
	for _, l := range lines {
		head := groupHead(v, l.Date)
		if len(p.Groups) == 0 || p.Groups[len(p.Groups)-1].Head != head {
			p.Groups = append(p.Groups, letterGroup{Head: head})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Rows = append(g.Rows, letterRow(v, l))
	}
	if next != "" {
		q := url.Values{"before": {next}}
		if folder != inbox {
			q.Set("folder", folder)
		}
		p.Next = "/messages?" + q.Encode()
	}
	return p
}

func letterRow(v *ui.Visit, l Line) leaf.LetterRow {
	row := leaf.LetterRow{
		Href: "/messages/" + url.PathEscape(l.ID), From: nameOr(v, l.Name), Subject: Title(v, l.Subject), Preview: tame(l.Preview),
		New: l.Unread, Meta: v.Words.When(v.Now, l.Date), Machine: v.Words.Machine(l.Date),
	}
	if l.Answered {
		row.Tags = append(row.Tags, leaf.Tag{Text: v.T("msg.tag.answered"), Kind: "violet", Icon: "reply"})
	}
	if l.Files > 0 {
		row.Tags = append(row.Tags, leaf.Tag{Text: v.T("msg.files", "Count", l.Files), Kind: "bare", Icon: "clip"})
	}
	return row
}

// groupHead names the time of a letter: this week, else its month.
func groupHead(v *ui.Visit, t time.Time) string {
	now, t := v.Now.In(v.Words.Zone), t.In(v.Words.Zone)
	monday := time.Date(now.Year(), now.Month(), now.Day()-(int(now.Weekday())+6)%7, 0, 0, 0, 0, v.Words.Zone)
	if !t.Before(monday) {
		return v.T("msg.this-week")
	}
	return v.Words.Month(t)
}

// Title is what people read in place of a subject: its words, or what stands for them.
func Title(v *ui.Visit, s Subject) string {
	switch {
	case s.Text != "":
		return s.Text
	case s.Over:
		return v.T("msg.over.subject")
	}
	return v.T("msg.no-subject")
}

// nameOr is what stands in place of a sender who gave no name.
func nameOr(v *ui.Visit, name string) string {
	if name == "" {
		return v.T("msg.nobody")
	}
	return name
}

// lineFacts are the facts of a letter in a list: the first five are what outside
// programs build on.
type lineFacts struct {
	ID       string `json:"id"`
	From     string `json:"from"`
	Subject  string `json:"subject"`
	Date     string `json:"date"`
	Unread   bool   `json:"unread"`
	Preview  string `json:"preview"`
	Answered bool   `json:"answered"`
	Files    int    `json:"attachments"`
}

// listFacts are the facts of a list.
type listFacts struct {
	Messages []lineFacts `json:"messages"`
	Unread   int         `json:"unread"`
	Next     string      `json:"next,omitempty"`
}

func newListFacts(v *ui.Visit, unread int, lines []Line, next string) listFacts {
	f := listFacts{Messages: make([]lineFacts, 0, len(lines)), Unread: unread, Next: next}
	for _, l := range lines {
		f.Messages = append(f.Messages, lineFacts{
			ID: l.ID, From: nameOr(v, l.Name), Subject: Title(v, l.Subject), Date: v.Words.Machine(l.Date),
			Unread: l.Unread, Preview: tame(l.Preview), Answered: l.Answered, Files: l.Files,
		})
	}
	return f
}
