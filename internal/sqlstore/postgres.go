package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

func (s *Store) openPostgres(ctx context.Context, o Options) error {
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		// pgx's own text may quote the address, and with it the password.
		return errors.New("the PostgreSQL address cannot be read: it must look like postgres://user:password@host:5432/name?sslmode=require (PORTATILL_DATABASE_URL)")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "portatill"
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(durable))
	conns := o.MaxConns
	if conns <= 0 {
		conns = 16
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	// Behind a load balancer or after a failover, connections must be replaced some
	// day without anyone noticing.
	db.SetConnMaxLifetime(30 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return classify(fmt.Sprintf("connect to PostgreSQL at %s:%d", config.Host, config.Port), err)
	}
	s.dialect, s.writer, s.readers = Postgres, db, db
	return nil
}

// durable overrules a server, role or database whose commits are not on disk when
// they return: a 2xx to Stripe must mean that the event survives a power cut
// (postgresql.org/docs/15/wal-async-commit.html).
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}
