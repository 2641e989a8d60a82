package sqlstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// TestTheStaffsSecretsOutliveAChangeOfTheKey, because whoever lost the second factor
// with it could not sign in to put things right.
func TestTheStaffsSecretsOutliveAChangeOfTheKey(t *testing.T) {
	t.Parallel()
	ctx, file := context.Background(), storetest.NewSQLiteFile(t)
	const first, second pay.Secret = "the first key of this test, 32 characters", "the second key of this test, 32 characters"
	open := func(key pay.Secret, older ...pay.Secret) *sqlstore.Store {
		s, err := sqlstore.Open(ctx, sqlstore.Options{URL: "sqlite:" + file, SecretKey: key, OlderKeys: older})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	p := &staff.Person{ID: "stf_1", Email: "ada@example.com", Name: "Ada", Role: staff.Operator, State: staff.Active, TOTPSecret: "JBSWY3DPEHPK3PXP", CreatedAt: at, UpdatedAt: at}
	if err := open(first).InStaffTx(ctx, func(tx staff.Tx) error { return tx.InsertStaff(ctx, p) }); err != nil {
		t.Fatal(err)
	}
	if err := open(second).CheckSecretKey(ctx); err == nil {
		t.Error("a key that does not open the staff's secrets is taken")
	}
	both := open(second, first)
	if found, err := both.Reseal(ctx); err != nil || found.Older != 1 || len(found.Lost) != 0 {
		t.Fatalf("resealed %+v, %v", found, err)
	}
	alone := open(second)
	if got, err := alone.StaffByID(ctx, p.ID); err != nil || got.TOTPSecret != p.TOTPSecret {
		t.Errorf("with the new key alone: %v", err)
	}
	lost := open("the third key of this test, 32 characters")
	if err := lost.ForgetLostTOTP(ctx, "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := lost.StaffByID(ctx, p.ID); err == nil {
		t.Error("another person's secret was forgotten")
	}
	if err := lost.ForgetLostTOTP(ctx, p.Email); err != nil {
		t.Fatal(err)
	}
	if got, err := lost.StaffByID(ctx, p.ID); err != nil || got.HasTOTP() {
		t.Errorf("after it was forgotten: %+v, %v", got, err)
	}
}
