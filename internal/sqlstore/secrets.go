package sqlstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portatill/portatill/pay"
)

// minSecretKey is the shortest PORTATILL_SECRET_KEY. HKDF stretches nothing: the
// key itself must be beyond guessing.
const minSecretKey = 32

// keyring encrypts tenants' secrets at rest, with AES-256-GCM and a key derived
// by HKDF-SHA256 (RFC 5869). A stored text is
//
//	v1.<key id>.<base64url of nonce and ciphertext>
//
// Its associated data are table, column and row id, so that a text moved to
// another place does not decrypt there.
type keyring struct {
	current string
	keys    map[string]cipher.AEAD
}

func newKeyring(secret pay.Secret, older []pay.Secret) (*keyring, error) {
	k := &keyring{keys: map[string]cipher.AEAD{}}
	for i, s := range append([]pay.Secret{secret}, older...) {
		if len(s.Reveal()) < minSecretKey {
			setting := "PORTATILL_SECRET_KEY"
			if i > 0 {
				setting = "each key in PORTATILL_OLD_SECRET_KEYS"
			}
			return nil, fmt.Errorf("%s must be at least %d characters (such as the output of `openssl rand -base64 32`)", setting, minSecretKey)
		}
		key, err := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, "portatill sqlstore secrets v1", 32)
		if err != nil {
			return nil, fmt.Errorf("derive a key from PORTATILL_SECRET_KEY: %w", err)
		}
		id, err := hkdf.Key(sha256.New, []byte(s.Reveal()), nil, "portatill sqlstore key id v1", 4)
		if err != nil {
			return nil, fmt.Errorf("derive a key from PORTATILL_SECRET_KEY: %w", err)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("derive a key from PORTATILL_SECRET_KEY: %w", err)
		}
		// NewGCMWithRandomNonce puts a random 96-bit nonce before the ciphertext.
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("derive a key from PORTATILL_SECRET_KEY: %w", err)
		}
		name := hex.EncodeToString(id)
		k.keys[name] = aead
		if i == 0 {
			k.current = name
		}
	}
	return k, nil
}

// place is the associated data: where a secret is stored.
func place(column, rowID string) []byte { return []byte("tenants\x00" + column + "\x00" + rowID) }

// seal encrypts one secret; "" stays "", so that the database shows which
// secrets are set.
func (k *keyring) seal(column, rowID string, secret pay.Secret) string {
	if secret == "" {
		return ""
	}
	sealed := k.keys[k.current].Seal(nil, nil, []byte(secret.Reveal()), place(column, rowID))
	return "v1." + k.current + "." + base64.RawURLEncoding.EncodeToString(sealed)
}

// open is the reverse of seal. Its errors name the place and the setting, never a
// value.
func (k *keyring) open(column, rowID, text string) (pay.Secret, error) {
	if text == "" {
		return "", nil
	}
	bad := func(why string) (pay.Secret, error) {
		return "", fmt.Errorf("the secret %s of tenant %s %s", column, rowID, why)
	}
	version, rest, ok1 := strings.Cut(text, ".")
	id, body, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 || version != "v1" {
		return bad("is not in a form that this portatill writes")
	}
	aead, ok := k.keys[id]
	if !ok {
		return bad("was encrypted with another key: set PORTATILL_SECRET_KEY to it, or add it to PORTATILL_OLD_SECRET_KEYS")
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return bad("is damaged: it is not base64url")
	}
	plain, err := aead.Open(nil, nil, raw, place(column, rowID))
	if err != nil {
		return bad("does not decrypt: the row was changed outside portatill, or PORTATILL_SECRET_KEY is not the one that this database was made with")
	}
	return pay.Secret(plain), nil
}

// sealList encrypts several secrets as one text.
func (k *keyring) sealList(column, rowID string, secrets []pay.Secret) (string, error) {
	if len(secrets) == 0 {
		return "", nil
	}
	plain := make([]string, len(secrets))
	for i, s := range secrets {
		plain[i] = s.Reveal()
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return "", fmt.Errorf("write the secrets %s: %w", column, err)
	}
	return k.seal(column, rowID, pay.Secret(text)), nil
}

func (k *keyring) openList(column, rowID, text string) ([]pay.Secret, error) {
	plain, err := k.open(column, rowID, text)
	if err != nil || plain == "" {
		return nil, err
	}
	var list []string
	if json.Unmarshal([]byte(plain.Reveal()), &list) != nil {
		return nil, fmt.Errorf("the secrets %s of tenant %s are damaged", column, rowID) // json's error may quote the text
	}
	out := make([]pay.Secret, len(list))
	for i, s := range list {
		out[i] = pay.Secret(s)
	}
	return out, nil
}

// sealedColumns are the columns of tenants that hold sealed texts. A test looks for
// sealed texts in all others.
var sealedColumns = []string{"signing_secret", "stripe_key", "stripe_webhook_secrets", "outbound_secret", "porta_token"}

// Seals says with which keys a database's secrets are encrypted.
type Seals struct {
	Secrets int // that are set, in all tenants
	Current int // encrypted with the present key
	Older   int // encrypted with one of the older keys
	// Lost are those that no key opens, each with the reason; none is the goal. They
	// name tenant and column, never a value.
	Lost []string
}

// sealedRow is one tenant's sealed texts, or one person's, as they are stored.
type sealedRow struct {
	id, slug string
	columns  []string
	texts    []string
}

func (r reader) sealedRows(ctx context.Context) ([]*sealedRow, error) {
	return many(ctx, r, "secrets", func(w row, s *sealedRow) error {
		s.columns, s.texts = sealedColumns, make([]string, len(sealedColumns))
		into := []any{&s.id, &s.slug}
		for i := range s.texts {
			into = append(into, &s.texts[i])
		}
		return w.Scan(into...)
	}, `SELECT id, slug, `+strings.Join(sealedColumns, ", ")+` FROM tenants ORDER BY slug`)
}

// inspect counts a row's secrets and returns those of older keys by column.
func (k *keyring) inspect(s *sealedRow, into *Seals) map[string]pay.Secret {
	older := map[string]pay.Secret{}
	for i, column := range s.columns {
		if s.texts[i] == "" {
			continue
		}
		into.Secrets++
		plain, err := k.open(column, s.id, s.texts[i])
		switch {
		case err != nil:
			into.Lost = append(into.Lost, s.slug+": "+err.Error())
		case strings.HasPrefix(s.texts[i], "v1."+k.current+"."):
			into.Current++
		default:
			into.Older++
			older[column] = plain
		}
	}
	return older
}

// Seals tries the keys on every secret.
func (s *Store) Seals(ctx context.Context) (Seals, error) {
	var found Seals
	rows, err := s.sealedRows(ctx)
	if err != nil {
		return found, err
	}
	people, err := s.sealedStaff(ctx)
	for _, r := range append(rows, people...) {
		s.keys.inspect(r, &found)
	}
	return found, err
}

// Reseal encrypts every secret of an older key with the present one, in one
// transaction, and returns how the secrets were encrypted before: Older is how many
// it changed, Lost what it had to leave. It may be called again, and be killed: then
// nothing has changed. After it, and once no process has an older key as its present
// one, the older keys are not needed any more.
func (s *Store) Reseal(ctx context.Context) (Seals, error) {
	var found Seals
	err := s.InTx(ctx, func(p pay.Tx) error {
		x := p.(*tx)
		found = Seals{} // of an earlier run of this function
		// On PostgreSQL this keeps a `tenant set` elsewhere from storing a secret between
		// our read and our write, which would undo it.
		if _, err := x.exec(ctx, "lock tenants", `UPDATE tenants SET updated_at = updated_at`); err != nil {
			return err
		}
		rows, err := x.sealedRows(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			for column, plain := range s.keys.inspect(r, &found) {
				if err := x.must(ctx, "encrypt "+column+" of tenant "+r.slug+" anew", "tenant", `UPDATE tenants SET `+column+` = $2 WHERE id = $1`,
					r.id, s.keys.seal(column, r.id, plain)); err != nil {
					return err
				}
			}
		}
		return x.resealStaff(ctx, &found)
	})
	return found, err
}

// ForgetLost empties those secrets of one tenant that no key opens, so that they can
// be set again, and gives it a new signing secret if that was one of them. It returns
// the emptied columns; none when all can be read. CodeNotFound when there is no such
// tenant. It cannot be undone.
func (s *Store) ForgetLost(ctx context.Context, slug string) ([]string, error) {
	var lost []string
	err := s.InTx(ctx, func(p pay.Tx) error {
		x := p.(*tx)
		lost = nil
		if err := x.must(ctx, "lock tenant", "tenant", `UPDATE tenants SET updated_at = updated_at WHERE slug = $1`, slug); err != nil {
			return err
		}
		rows, err := x.sealedRows(ctx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			for i, column := range sealedColumns {
				if _, err := s.keys.open(column, r.id, r.texts[i]); r.slug != slug || err == nil {
					continue
				}
				lost = append(lost, column)
				fresh := ""
				if column == "signing_secret" {
					fresh = s.keys.seal(column, r.id, pay.NewSecret("sig_"))
				}
				if err := x.must(ctx, "forget "+column+" of tenant "+slug, "tenant", `UPDATE tenants SET `+column+` = $2 WHERE id = $1`, r.id, fresh); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return lost, err
}

// KeyError says that the secret keys do not open all of a database's secrets.
type KeyError struct{ Seals Seals }

// Error says what is wrong and what to do, then which secrets it is about.
func (e *KeyError) Error() string {
	lost := e.Seals.Lost
	text := fmt.Sprintf("PORTATILL_SECRET_KEY does not fit this database: of its %d secrets %d cannot be decrypted. Set it to the key that the database was used with; "+
		"after a change of the key, put the earlier one into PORTATILL_OLD_SECRET_KEYS", e.Seals.Secrets, len(lost))
	for i, l := range lost {
		if i == 5 {
			return text + fmt.Sprintf("\n  and %d more: see portatill secrets reseal --check", len(lost)-i)
		}
		text += "\n  " + l
	}
	return text
}

// CheckSecretKey tries the keys on every secret, so that a start with the wrong
// PORTATILL_SECRET_KEY is refused before the first payment. What they do not open is
// a *KeyError.
func (s *Store) CheckSecretKey(ctx context.Context) error {
	found, err := s.Seals(ctx)
	if err != nil {
		return err
	}
	if len(found.Lost) > 0 {
		return &KeyError{found}
	}
	return nil
}
