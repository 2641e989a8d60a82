package sqlstore

import (
	"context"
	"time"

	"github.com/portatill/portatill/pay"
)

// LoadSession returns a browser's session by the hash of its id; one that is
// unknown or over is CodeNotFound.
func (s *Store) LoadSession(ctx context.Context, hash string, now time.Time) ([]byte, error) {
	data, err := one(ctx, s.reader, "session", func(w row, b *[]byte) error { return w.Scan(b) },
		`SELECT data FROM sessions WHERE hash = $1 AND expires_at > $2`, hash, micros(now))
	if err != nil {
		return nil, err
	}
	return *data, nil
}

// SaveSession stores a session until expires, and forgets those that are over.
func (s *Store) SaveSession(ctx context.Context, hash string, data []byte, expires, now time.Time) error {
	return s.InTx(ctx, func(t pay.Tx) error {
		x, ok := t.(*tx)
		if !ok {
			panic("sqlstore: a transaction that is not ours")
		}
		if _, err := x.exec(ctx, "forget sessions", `DELETE FROM sessions WHERE expires_at <= $1`, micros(now)); err != nil {
			return err
		}
		_, err := x.exec(ctx, "save session", `INSERT INTO sessions (hash, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, hash, data, micros(expires))
		return err
	})
}

// DeleteSession ends a session; one that is unknown is over already.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	_, err := s.writer.ExecContext(ctx, `DELETE FROM sessions WHERE hash = $1`, hash)
	return classify("delete session", err)
}
