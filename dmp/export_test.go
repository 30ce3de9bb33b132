package dmp

// Statements are those whose cost must not grow with the vault, by what they look
// for; lists of values are of the size that a page has.
func Statements() map[string]string {
	return map[string]string{
		"same uniqueId": probes(sqlByUnique, maxProbes),
		"same entry":    sqlByEntry,
		"awaited":       probes(sqlWaiting, maxProbes),
		"list":          listed().idsBelow(),
		"shelf":         onShelf().idsBelow(),
		"rows":          probes(sqlRows, maxProbes),
		"origins":       probes(sqlFrom, maxProbes),
		"document":      sqlGet,
		"deprecate":     sqlDeprecate,
		"history":       noted().idsBelow(),
		"accesses":      probes(sqlAccesses, maxProbes),
		"strays":        sqlStrays(),
	}
}

// MaxProbes is how many values these statements take.
const MaxProbes = maxProbes

// Prepared returns metadata as they are sealed.
func Prepared(d Document) (Document, error) { return d.prepared() }

// CleanUUID returns a UUID as it is compared.
func CleanUUID(s string) (string, bool) { return cleanUUID(s) }
