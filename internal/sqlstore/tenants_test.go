package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestTenants(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		for name, test := range map[string]func(*testing.T, *sqlstore.Store){
			"ChangesAtOnceAreAllStored":                changesAtOnce,
			"ARefusedChangeStoresNothing":              refusedChange,
			"ALogoIsKeptByChangesThatDoNotHaveIt":      logo,
			"OneLicenceIsRevokedOnceAndByItsOwnTenant": revokeOne,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, open(t))
			})
		}
	})
}

// changesAtOnce has two tills prepend their webhook secrets and others change other
// properties: a read-modify-write without the lock loses some.
func changesAtOnce(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	tenant := storetest.Tenant(t, s, func(t *pay.Tenant) { t.ReturnOrigins = nil })
	const changes = 24
	var wg sync.WaitGroup
	for i := range changes {
		wg.Go(func() {
			_, err := s.ChangeTenant(ctx, tenant.Slug, func(t *pay.Tenant) error {
				t.ReturnOrigins = append(t.ReturnOrigins, fmt.Sprintf("https://shop%d.example", i))
				return nil
			})
			if err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	got, err := s.TenantByID(ctx, tenant.ID)
	if err != nil || len(got.ReturnOrigins) != changes {
		t.Errorf("%d of %d changes are stored: %v", len(got.ReturnOrigins), changes, err)
	}
}

func refusedChange(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	tenant := storetest.Tenant(t, s)
	no := errors.New("no")
	if _, err := s.ChangeTenant(ctx, tenant.Slug, func(t *pay.Tenant) error { t.Name = "changed"; return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if _, err := s.ChangeTenant(ctx, "none", func(*pay.Tenant) error { t.Error("called for nobody"); return nil }); !pay.IsNotFound(err) {
		t.Errorf("an unknown tenant: %v", err)
	}
	got, err := s.TenantByID(ctx, tenant.ID)
	if d := cmp.Diff(tenant, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
}

func logo(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	picture := []byte{0x89, 'P', 'N', 'G', 0, 1, 2, 255}
	tenant := storetest.Tenant(t, s, func(t *pay.Tenant) { t.Branding.Logo, t.Branding.LogoType = picture, "image/png" })
	other := storetest.Tenant(t, s)
	has := func(want []byte, wantType string) {
		t.Helper()
		got, mediaType, err := s.TenantLogo(ctx, tenant.ID)
		if (want == nil) != pay.IsNotFound(err) || !cmp.Equal(want, got) || mediaType != wantType {
			t.Errorf("the logo is %v %q, %v", got, mediaType, err)
		}
	}
	change := func(fn func(b *pay.Branding)) {
		t.Helper()
		if _, err := s.ChangeTenant(ctx, tenant.Slug, func(t *pay.Tenant) error { fn(&t.Branding); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	has(picture, "image/png")
	read, err := s.TenantByID(ctx, tenant.ID)
	if err != nil || read.Branding.Logo != nil || read.Branding.LogoType != "image/png" {
		t.Errorf("every request reads the logo: %v %+v", err, read.Branding)
	}
	change(func(b *pay.Branding) { b.DisplayName = "Another" })
	has(picture, "image/png")
	change(func(b *pay.Branding) { b.Logo, b.LogoType = []byte("RIFF"), "image/webp" })
	has([]byte("RIFF"), "image/webp")
	if _, _, err := s.TenantLogo(ctx, other.ID); !pay.IsNotFound(err) {
		t.Errorf("another tenant has it too: %v", err)
	}
	change(func(b *pay.Branding) { b.LogoType = "" })
	has(nil, "")
}

func revokeOne(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	tenant, other := storetest.Tenant(t, s), storetest.Tenant(t, s)
	key, license := pay.NewLicense(tenant.ID, storetest.Now)
	storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertLicense(ctx, license) })
	if _, err := s.RevokeLicense(ctx, other.ID, license.ID, storetest.Now); !pay.IsNotFound(err) {
		t.Errorf("another tenant revokes it: %v", err)
	}
	if _, err := s.TenantByLicense(ctx, pay.HashLicense(key.Reveal())); err != nil {
		t.Errorf("it is not good: %v", err)
	}
	for i, want := range []bool{true, false} {
		when := storetest.Now.Add(time.Duration(i) * time.Hour)
		if revoked, err := s.RevokeLicense(ctx, tenant.ID, license.ID, when); revoked != want || err != nil {
			t.Errorf("call %d: %v, %v", i, revoked, err)
		}
	}
	list, err := s.ListLicenses(ctx, tenant.ID)
	if err != nil || len(list) != 1 || !list[0].RevokedAt.Equal(storetest.Now) {
		t.Errorf("revoked again at another time: %+v, %v", list, err)
	}
	if _, err := s.TenantByLicense(ctx, pay.HashLicense(key.Reveal())); !pay.IsNotFound(err) {
		t.Errorf("a revoked key is good: %v", err)
	}
}
