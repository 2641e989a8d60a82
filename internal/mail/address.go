package mail

import (
	netmail "net/mail"
	"regexp"
	"strings"
	"unicode"

	"github.com/portatill/portatill/pay"
)

// maxAddress is the longest address SMTP carries (RFC 5321, section 4.5.3.1.3).
const maxAddress = 254

// address reads an address from outside. It is one address and nothing else: a name before
// it, a list or a line end would be somebody else's header.
func address(text string) (*netmail.Address, bool) {
	text = strings.TrimSpace(text)
	a, err := netmail.ParseAddress(text)
	if err != nil || a.Address != text || plain(text) != text || len(text) > maxAddress || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return nil, false
	}
	return a, true
}

// CheckAddress says why a person cannot be written to, a *pay.Error with CodeBadRequest.
func CheckAddress(text string) error {
	if _, ok := address(text); !ok {
		return pay.Errorf(pay.CodeBadRequest, "to", "The address is none; write it as name@example.com.")
	}
	return nil
}

// plain is a text from outside as it may stand in a mail: one line, without control
// characters and without those that reorder or hide what stands around them (Unicode
// UAX #9, section 2).
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b', r == '\u200e', r == '\u200f', r == '\u061c', r == '\ufeff', r >= '\u2060' && r <= '\u206f', r >= '\u202a' && r <= '\u202e':
			return -1
		}
		return r
	}, oneLine(s)))
}

// oneLine is a text of ours around plain ones: a line without control characters. The
// marks that i18n puts around a name or an amount stay.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\u2028', r == '\u2029', r == '\u0085':
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s))
}

// anyAddress is whatever looks like an address, also in the words of a server.
var anyAddress = regexp.MustCompile(`<?[^\s<>"'(),;:]+@[^\s<>"'(),;]+>?`)

// masked takes the addresses and the given texts out of a server's words.
func masked(words string, hide ...string) string {
	for _, h := range hide {
		if h != "" {
			words = strings.ReplaceAll(words, h, "***")
		}
	}
	words = plain(anyAddress.ReplaceAllString(words, "<address>"))
	if runes := []rune(words); len(runes) > maxWords {
		return string(runes[:maxWords]) + "…"
	}
	return words
}

// maxWords is how much of a server's words is kept.
const maxWords = 200
