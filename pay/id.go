package pay

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// crockford is the alphabet of ULIDs in lower case: no i, l, o or u, sortable
// as text.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns a fresh identifier such as "ord_01jd…": the prefix, then 48
// bits of Unix milliseconds and 80 random bits in Crockford's base 32 (a ULID),
// so that ids sort by the time they were made and cannot be guessed.
func NewID(prefix string, at time.Time) string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(at.UnixMilli())<<16)
	if _, err := rand.Read(raw[6:]); err != nil {
		panic("pay: the system has no randomness: " + err.Error())
	}
	var b strings.Builder
	b.Grow(len(prefix) + 27)
	b.WriteString(prefix)
	b.WriteByte('_')
	// 128 bits are 26 symbols of 5 bits, the first of which carries only 3.
	hi, lo := binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])
	for i := 25; i >= 0; i-- {
		shift := uint(i * 5)
		var v uint64
		switch {
		case shift >= 64:
			v = hi >> (shift - 64)
		case shift == 0:
			v = lo
		default:
			v = lo>>shift | hi<<(64-shift)
		}
		b.WriteByte(crockford[v&31])
	}
	return b.String()
}

// NewPayToken returns the unguessable part of a customer's URLs: 128 random
// bits as 22 characters of base64url.
func NewPayToken() string {
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("pay: the system has no randomness: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// NewSecret returns a fresh secret of 256 random bits behind a prefix that says
// what it is, such as "ptl_" for a licence key.
func NewSecret(prefix string) Secret {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		panic("pay: the system has no randomness: " + err.Error())
	}
	return Secret(prefix + base64.RawURLEncoding.EncodeToString(raw[:]))
}
