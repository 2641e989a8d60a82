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
	"errors"
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
			return nil, fmt.Errorf("PORTATILL_SECRET_KEY must be at least %d characters (such as the output of `openssl rand -base64 32`)", minSecretKey)
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
		return bad("was encrypted with another key: set PORTATILL_SECRET_KEY to the one that this database was made with")
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

// Reseal encrypts every tenant's secrets with the present key, in one
// transaction, and returns how many tenants there are. After it, the older keys
// are not needed any more. It may be called again.
func (s *Store) Reseal(ctx context.Context) (int, error) {
	n := 0
	err := s.InTx(ctx, func(t pay.Tx) error {
		tenants, err := t.ListTenants(ctx)
		if err != nil {
			return err
		}
		n = len(tenants)
		for _, tenant := range tenants {
			if err := t.UpdateTenant(ctx, tenant); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// CheckSecretKey tries the keys on every tenant's secrets, so that a start with
// the wrong PORTATILL_SECRET_KEY is refused before the first payment.
func (s *Store) CheckSecretKey(ctx context.Context) error {
	if _, err := s.ListTenants(ctx); err != nil {
		if pay.CodeOf(err) != "" {
			return err
		}
		return errors.Join(errors.New("PORTATILL_SECRET_KEY does not fit this database"), err)
	}
	return nil
}
