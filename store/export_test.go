package store

// CheckVersion lets tests ask about SQLite builds that are not linked in.
var CheckVersion = checkVersion
