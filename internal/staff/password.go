package staff

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/portatill/portatill/pay"
)

// The lengths of a password in bytes. NIST SP 800-63B-4, section 3.1.1.2, asks for
// 15 characters where the password is the only factor and 8 beside a second one;
// ours lies between. The upper bound keeps a request from hashing a novel.
const (
	minPassword = 12
	maxPassword = 256
)

// params are argon2id's.
type params struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// present are the parameters that OWASP's Password Storage Cheat Sheet gives first:
// 19 MiB, two passes, one lane. A hash with others is made anew at the next sign-in.
var present = params{memory: 19 * 1024, time: 2, lanes: 1}

const saltBytes, keyBytes = 16, 32

// hashing bounds how many hashes are made at a time: each takes 19 MiB, and the
// sign-in page is open to everybody.
var hashing = make(chan struct{}, 4)

func derive(password string, salt []byte, p params, length uint32) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, p.time, p.memory, p.lanes, length)
}

// hashPassword returns a password's hash in the PHC string format
// (github.com/P-H-C/phc-string-format), which carries its parameters.
func hashPassword(password pay.Secret) string {
	var salt [saltBytes]byte
	_, _ = rand.Read(salt[:]) // never fails since Go 1.24
	return encodePHC(present, salt[:], derive(password.Reveal(), salt[:], present, keyBytes))
}

func encodePHC(p params, salt, key []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.lanes, b.EncodeToString(salt), b.EncodeToString(key))
}

func decodePHC(text string) (p params, salt, key []byte, ok bool) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.lanes); n != 3 || err != nil || p.time == 0 || p.lanes == 0 {
		return p, nil, nil, false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	return p, salt, key, err1 == nil && err2 == nil && len(salt) >= 8 && len(key) >= 16 && len(key) <= 64
}

// checkPassword compares in constant time and says whether the hash is to be made
// anew. A text that is no hash fits no password.
func checkPassword(hash string, password pay.Secret) (good, stale bool) {
	p, salt, key, ok := decodePHC(hash)
	if !ok || len(password.Reveal()) > maxPassword {
		return false, false
	}
	good = subtle.ConstantTimeCompare(derive(password.Reveal(), salt, p, uint32(len(key))), key) == 1
	return good, good && (p != present || len(salt) != saltBytes || len(key) != keyBytes)
}

// nobody is a hash that no password fits, for addresses that we do not know: it
// costs what a real one costs, so that the time of an answer does not tell which
// addresses have an account.
var nobody = sync.OnceValue(func() string { return hashPassword(pay.NewSecret("")) })

//go:embed commonest.txt
var commonestText string

// commonest are passwords that everybody tries first and that are long enough to
// pass otherwise (NIST SP 800-63B-4, section 3.1.1.2, asks for such a list).
var commonest = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonestText) {
		all[strings.TrimSpace(line)] = true
	}
	return all
})

// checkNewPassword says why a password cannot be somebody's, a *pay.Error with
// CodeBadRequest. There are no rules about digits and signs: NIST SP 800-63B-4 found
// that they make passwords worse.
func checkNewPassword(p *Person, password pay.Secret) error {
	s := password.Reveal()
	bad := func(format string, args ...any) error {
		return pay.Errorf(pay.CodeBadRequest, "password", format, args...)
	}
	folded := strings.ToLower(strings.TrimSpace(s))
	local, _, _ := strings.Cut(p.Email, "@")
	switch {
	case utf8.RuneCountInString(s) < minPassword:
		return bad("The password must have at least %d characters; four or five random words are good.", minPassword)
	case len(s) > maxPassword:
		return bad("The password must have at most %d bytes.", maxPassword)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return bad("The password has characters that cannot be stored.")
	case folded == p.Email || len(local) >= 4 && strings.Trim(strings.ReplaceAll(folded, local, ""), "0123456789!.@-_ ") == "":
		return bad("The password must not be made of your e-mail address.")
	case commonest()[folded] || strings.Count(folded, folded[:1]) == len(folded):
		return bad("This password is among the first that everybody tries; choose another.")
	}
	return nil
}

// GeneratePassword returns a fresh password of 120 random bits, in six groups that
// can be read out.
func GeneratePassword() pay.Secret { return pay.Secret(groups(24, 4)) }

// alphabet is Crockford's base 32 in lower case: 32 characters of which none is
// taken for another (no i, l, o and u).
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// groups are n random characters of 5 bits each, in groups with hyphens between.
func groups(n, size int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails since Go 1.24
	var b strings.Builder
	for i, r := range raw {
		if i > 0 && i%size == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[r&31])
	}
	return b.String()
}
