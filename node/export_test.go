package node

// Drain is drain, for its test.
var Drain = drain
