// Package web is the HTTP door. For now it has two pages: a status page for
// people who come by, and health checks for machines.
//
//	GET /          who this operator is, in French and English
//	GET /healthz   200 while the node can read its store, else 503; JSON
//
// Everything else is 404. There is no state, no cookie and nothing of anybody.
package web
