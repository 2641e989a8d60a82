package year_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/paytest/year"
	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
)

// Settings of the benchmarks: how many payments the largest year has, and where years
// are kept between runs. A year of a million takes minutes to make and some gigabytes.
const (
	paymentsVariable = "PORTATILL_BENCH_PAYMENTS"
	cacheVariable    = "PORTATILL_BENCH_CACHE"
	usualPayments    = 10_000
	benchSeed        = 42
)

// sizes are the years to measure.
func sizes(b *testing.B) []int {
	b.Helper()
	most := usualPayments
	if v := os.Getenv(paymentsVariable); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			b.Fatalf("%s must be a number of payments such as 1000000, not %q", paymentsVariable, v)
		}
		most = n
	}
	var out []int
	for n := usualPayments; n < most; n *= 10 {
		out = append(out, n)
	}
	return append(out, most)
}

// eachYear measures on both databases and every size.
func eachYear(b *testing.B, bench func(b *testing.B, s *sqlstore.Store)) {
	for _, n := range sizes(b) {
		b.Run(fmt.Sprintf("SQLite/%d", n), func(b *testing.B) {
			s, err := keptSQLite(n)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bench(b, s)
		})
		b.Run(fmt.Sprintf("PostgreSQL/%d", n), func(b *testing.B) {
			storetest.NeedPostgres(b)
			s, err := keptPostgres(n)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bench(b, s)
		})
	}
}

func open(address string) (*sqlstore.Store, error) {
	return sqlstore.Open(context.Background(), sqlstore.Options{URL: address, SecretKey: storetest.SecretKey})
}

// makeYear fills a new database, and closes it.
func makeYear(address string, n int) error {
	ctx, began := context.Background(), time.Now()
	s, err := open(address)
	if err != nil {
		return err
	}
	err = s.Migrate(ctx)
	if err == nil {
		_, err = year.Fill(ctx, s, year.Size{Payments: n, Seed: benchSeed})
	}
	fmt.Fprintf(os.Stderr, "made a year of %d payments on %s in %.0f s\n", n, s.Dialect(), time.Since(began).Seconds())
	return errors.Join(err, s.Close())
}

// name is what a year is kept under: another schema or size is another year.
func name(dialect string, n int) (string, error) {
	digest, err := sqlstore.SchemaDigest(dialect)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("portatill_year_%.12s_%d", digest, n), nil
}

// keptSQLite opens a year's file, which is made when it is not there.
func keptSQLite(n int) (*sqlstore.Store, error) {
	dir := os.Getenv(cacheVariable)
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "portatill-bench")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := name(sqlstore.SQLite, n)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, file+".db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		// Under another name until it is whole, in case this process dies here.
		for _, left := range []string{".new", ".new-wal", ".new-shm"} {
			_ = os.Remove(path + left)
		}
		if err := makeYear("sqlite:"+path+".new", n); err != nil {
			return nil, err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return open("sqlite:" + path)
}

// keptPostgres opens a year's database, which is made on the server when it is not
// there.
func keptPostgres(n int) (*sqlstore.Store, error) {
	ctx := context.Background()
	u, err := url.Parse(os.Getenv(storetest.PostgresVariable))
	if err != nil {
		return nil, errors.New(storetest.PostgresVariable + " is not an address")
	}
	admin, err := open(u.String())
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	database, err := name(sqlstore.Postgres, n)
	if err != nil {
		return nil, err
	}
	var there int
	if err := admin.DB().QueryRowContext(ctx, "SELECT COUNT(*) FROM pg_database WHERE datname = $1", database).Scan(&there); err != nil {
		return nil, err
	}
	if there == 0 {
		for _, q := range []string{"DROP DATABASE IF EXISTS " + database + "_new WITH (FORCE)", "CREATE DATABASE " + database + "_new"} {
			if _, err := admin.DB().ExecContext(ctx, q); err != nil {
				return nil, err
			}
		}
		u.Path = "/" + database + "_new"
		if err := makeYear(u.String(), n); err != nil {
			return nil, err
		}
		if _, err := admin.DB().ExecContext(ctx, "ALTER DATABASE "+database+"_new RENAME TO "+database); err != nil {
			return nil, err
		}
	}
	u.Path = "/" + database
	return open(u.String())
}

// measured runs one operation and reports beside its time the most memory that it
// needed and how busy the machine was.
func measured(b *testing.B, op func()) {
	b.Helper()
	load, cpu := loadAverage(), cpuSeconds()
	stop := watchMemory()
	for b.Loop() {
		op()
	}
	heap, resident := stop()
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
	b.ReportMetric(float64(heap)/1e6, "heap-MB")
	if resident > 0 {
		b.ReportMetric(float64(resident)/1e6, "resident-MB")
		b.ReportMetric(load, "load")
		b.ReportMetric((cpuSeconds()-cpu)/float64(b.N), "cpu-s/op")
	}
}

// loadAverage is Linux's of the last minute, 0 elsewhere.
func loadAverage() float64 {
	raw, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(raw), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}

// BenchmarkProof proves a whole year, chain of hashes included.
func BenchmarkProof(b *testing.B) {
	eachYear(b, func(b *testing.B, s *sqlstore.Store) {
		var entries int64
		if err := s.DB().QueryRow("SELECT COUNT(*) FROM ledger_entries").Scan(&entries); err != nil {
			b.Fatal(err)
		}
		measured(b, func() {
			if proof := whole(b, s); !proof.Square() || len(proof.Rows) < 365 {
				b.Fatalf("the proof is not square: %v, %d rows", proof.Unexplained, len(proof.Rows))
			}
		})
		b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}

// BenchmarkVerify reads the invariants that are views, and the chain of hashes.
func BenchmarkVerify(b *testing.B) {
	ctx := context.Background()
	nothing := func(b *testing.B, faults []string, err error) {
		if err != nil || len(faults) > 0 {
			b.Fatalf("%d faults, %v", len(faults), err)
		}
	}
	eachYear(b, func(b *testing.B, s *sqlstore.Store) {
		b.Run("Views", func(b *testing.B) {
			measured(b, func() {
				faults, err := s.VerifyBooks(ctx)
				nothing(b, faults, err)
			})
		})
		b.Run("Chain", func(b *testing.B) {
			tenants, err := s.ListTenants(ctx)
			if err != nil {
				b.Fatal(err)
			}
			measured(b, func() {
				for _, t := range tenants {
					faults, err := service(s).VerifyLedger(ctx, t)
					nothing(b, faults, err)
				}
			})
		})
	})
}
