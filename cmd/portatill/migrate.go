package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/pay"
)

func (a *app) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database up to date (serve does it too)", Example: "  portatill migrate", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context()) },
	}
}

func (a *app) migrate(ctx context.Context) (err error) {
	c, err := a.settings(nil)
	if err != nil {
		return err
	}
	store, err := sqlstore.Open(ctx, sqlstore.Options{URL: c.DatabaseURL, SecretKey: pay.Secret(c.SecretKey)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := migrate(ctx, store); err != nil {
		return err
	}
	line(a.out, "The database is up to date.")
	return nil
}
