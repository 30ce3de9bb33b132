package delivery

import "io"

// WithoutBcc is withoutBcc, for its property test.
func WithoutBcc(r io.Reader, limit int) io.Reader { return withoutBcc(r, limit) }
