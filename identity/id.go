package identity

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// crockford is the lower-case Crockford base32 alphabet: its byte order is the
// value order, so that printed ids sort by time.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// lastID is the id made last, so that the next one sorts after it.
var lastID struct { //nolint:gochecknoglobals // one order of ids for the process
	sync.Mutex
	b [16]byte
}

// NewID returns a fresh identifier of 26 characters: 48 bits of unix
// milliseconds, then 80 bits that start at random and count up within one
// millisecond. Ids made by one process sort in the order in which they were
// made, also when the clock steps back.
func NewID() string {
	ms := uint64(time.Now().UnixMilli())

	lastID.Lock()
	defer lastID.Unlock()
	if last := binary.BigEndian.Uint64(lastID.b[:8]) >> 16; ms <= last {
		lo := binary.BigEndian.Uint64(lastID.b[8:]) + 1
		binary.BigEndian.PutUint64(lastID.b[8:], lo)
		return encode(lastID.b)
	}
	if _, err := rand.Read(lastID.b[6:]); err != nil {
		panic(err) // crypto/rand never fails on supported systems
	}
	lastID.b[8] &= 0x7f // room to count up
	for i := range 6 {
		lastID.b[i] = byte(ms >> (40 - 8*i))
	}
	return encode(lastID.b)
}

// encode prints 128 bits as 26 characters of 5 bits, the first holding 3.
func encode(b [16]byte) string {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	var out [26]byte
	for i := 25; i >= 0; i-- {
		out[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}
