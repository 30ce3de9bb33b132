package record

import (
	"github.com/vaguemestre/vaguemestre/dmp"
	"github.com/vaguemestre/vaguemestre/reading"
	"github.com/vaguemestre/vaguemestre/web/leaf"
	"github.com/vaguemestre/vaguemestre/web/ui"
)

// Names are what correspondents are called, by address.
type Names = names

// HomePage is the home of documents.
func HomePage(v *ui.Visit, page []dmp.Entry, counts []dmp.Count, known Names) ui.Page {
	return ui.Page{
		Template: "documents-home", Title: "doc.title", Data: newHome(v, page, counts),
		JSON: newDocumentsFacts(v, page, counts, "", known),
	}
}

// ListPage is a list of documents.
func ListPage(v *ui.Visit, shelf dmp.Category, page []dmp.Entry, counts []dmp.Count, next string) ui.Page {
	return ui.Page{
		Template: "documents-list", Title: "doc.family", TitleArgs: []any{"Name", dmp.ShelfOf(shelf).Label.In(v.Lang)},
		Data: newDocuments(v, shelf, page, counts, next, pageSize),
	}
}

// DocumentPage is the page of a document.
func DocumentPage(v *ui.Visit, e dmp.Entry, shown leaf.Document, known Names) ui.Page {
	p := newDocument(v, e, shown, known)
	return ui.Page{Template: "document-page", Title: "doc.page", TitleArgs: []any{"Title", p.Title}, Data: p}
}

// AgendaPage is a view of the agenda on a day.
func AgendaPage(v *ui.Visit, view, day string, events []reading.Event) ui.Page {
	t, err := dateOf(v, day)
	if err != nil {
		panic(err)
	}
	b := newBook(v, events)
	p := ui.Page{Template: "agenda-" + view, Title: "cal.title", JSON: newEventsFacts(v, events)}
	switch view {
	case "week":
		p.Data = b.week(t)
	case "month":
		p.Data = b.month(t)
	default:
		p.Data = b.list()
	}
	return p
}

// EventPage is the page of an event; closed is the word key of why it has no answer.
func EventPage(v *ui.Visit, e reading.Event, known Names, closed string) ui.Page {
	p := newEvent(v, e, known, closed)
	return ui.Page{Template: "event-page", Title: "cal.page", TitleArgs: []any{"Title", p.Title}, Data: p}
}

// Answerable says why an event cannot be answered.
func Answerable(v *ui.Visit, e reading.Event) error { return answerable(v, e) }

// Published writes an event for another agenda.
func Published(v *ui.Visit, e reading.Event) string { return string(published(v, e)) }

// HistoryPage is the history of accesses.
func HistoryPage(v *ui.Visit, page []dmp.Access, next string, known Names) ui.Page {
	data, facts := newHistory(v, page, next, known)
	return ui.Page{Template: "history-page", Title: "his.title", Data: data, JSON: facts}
}
