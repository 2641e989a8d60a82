package handlers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// desk is the little of Handlers that the staff's middleware needs, and somebody who
// is signed in.
func desk(t *testing.T) (*Handlers, *signedIn) {
	t.Helper()
	store := storetest.OpenSQLite(t)
	tenant := storetest.Tenant(t, store)
	h := &Handlers{Options: Options{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Staff: &staff.Service{Store: store, Now: func() time.Time { return time.Now().UTC() }}},
		sessions: &rowStore{secure: true}}
	return h, &signedIn{person: &staff.Person{ID: "stf_1", Name: "Ada", Role: staff.TenantAdmin, TenantID: tenant.ID}, session: &staff.Session{}}
}

func TestWhatAFormDidIsAudited(t *testing.T) { // I-35
	t.Parallel()
	for name, c := range map[string]struct {
		do   echo.HandlerFunc
		want staff.Entry
	}{
		"DoneWithWhatItSaid": {func(c echo.Context) error {
			e := auditOf(c)
			e.Subject, e.Before, e.After = "ord_1", "paid", "refunded 5.00 GBP"
			return c.NoContent(http.StatusSeeOther)
		}, staff.Entry{Subject: "ord_1", Before: "paid", After: "refunded 5.00 GBP"}},
		"RefusedWithItsCode": {func(c echo.Context) error {
			auditOf(c).Subject = "ord_1"
			return pay.Errorf(pay.CodeConflict, "", "There is nothing left to refund.")
		}, staff.Entry{Subject: "ord_1", Refused: true, After: "Conflict"}},
		"BrokenWithoutItsInnards": {func(echo.Context) error { return errors.New("dial tcp 10.0.0.7: secret") }, staff.Entry{Refused: true, After: "InternalError"}},
		"AFormThatIsShownAgain":   {func(c echo.Context) error { return c.String(http.StatusUnprocessableEntity, "no") }, staff.Entry{Refused: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, in := desk(t)
			// The browser is gone before the answer: what was done is in the log all the same.
			ctx, gone := context.WithCancel(context.Background())
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/admin/orders/ord_1/refund", nil)
			at := echo.New().NewContext(r, httptest.NewRecorder())
			at.Set(signedInKey, in)
			err := h.audited("refund")(func(at echo.Context) error { gone(); return c.do(at) })(at)
			if (err != nil) != (c.want.After == "Conflict" || c.want.After == "InternalError") {
				t.Errorf("the handler's error became %v", err)
			}
			all, err := h.Staff.Store.ListAudit(context.Background(), staff.EntryFilter{})
			if err != nil || len(all) != 1 {
				t.Fatalf("the log has %d entries, %v", len(all), err)
			}
			want := c.want
			want.ID, want.At, want.Actor, want.TenantID, want.What, want.Address = all[0].ID, all[0].At, "stf_1", in.person.TenantID, "refund", "192.0.2.1"
			if d := cmp.Diff(want, *all[0]); d != "" {
				t.Errorf("want − got +\n%s", d)
			}
		})
	}
}

func TestAMessageIsToldOnceOnTheNextPage(t *testing.T) {
	t.Parallel()
	h, in := desk(t)
	for _, tell := range []struct {
		say  func(echo.Context, string)
		want views.AdminFlash
	}{{h.say, views.AdminFlash{Text: "Refunded <b>£5.00</b>."}}, {h.sayNot, views.AdminFlash{Text: "Not refunded: Stripe is away.", Bad: true}}} {
		form := httptest.NewRecorder()
		tell.say(echo.New().NewContext(httptest.NewRequest(http.MethodPost, "/admin/orders/ord_1/refund", nil), form), tell.want.Text)
		cookies := form.Result().Cookies()
		if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Name != "__Host-portatill_staff_flash" {
			t.Fatalf("the cookies are %v", cookies)
		}
		r := httptest.NewRequest(http.MethodGet, "/admin", nil)
		r.AddCookie(cookies[0])
		page := httptest.NewRecorder()
		c := echo.New().NewContext(r, page)
		c.Set(signedInKey, in)
		if d := cmp.Diff([]views.AdminFlash{tell.want}, h.adminFrame(c).Flash); d != "" {
			t.Error(d)
		}
		if after := page.Result().Cookies(); len(after) != 1 || after[0].MaxAge >= 0 {
			t.Errorf("it is told again: %v", after)
		}
	}
	t.Run("RubbishInItsCookieIsNothing", func(t *testing.T) {
		for _, value := range []string{"x", "bnVsbA", "eyJUZXh0Ijo3fQ", ""} {
			r := httptest.NewRequest(http.MethodGet, "/admin", nil)
			r.AddCookie(&http.Cookie{Name: "__Host-portatill_staff_flash", Value: value})
			c := echo.New().NewContext(r, httptest.NewRecorder())
			c.Set(signedInKey, in)
			if got := h.adminFrame(c).Flash; len(got) != 0 {
				t.Errorf("%q tells %v", value, got)
			}
		}
	})
}
