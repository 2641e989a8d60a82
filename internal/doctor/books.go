package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/portatill/portatill/pay"
)

// How old the last whole listing of what Stripe has may be: a sweep comes every few
// minutes, and what no webhook told waits for it.
const sweepWarn, sweepFail = 2 * time.Hour, 24 * time.Hour

// proofDays is how far back the books are proved.
const proofDays = 31

// sweep looks at how long ago everything was listed at Stripe.
func (e *examination) sweep(ctx context.Context, t *pay.Tenant) {
	const name = "sweep"
	now, oldest, kind := e.Now(), time.Time{}, pay.ListKind("")
	owner, err := e.Store.StripeAccountOwner(ctx, t.StripeAccount, t.StripeLivemode)
	if err != nil {
		e.fail(name, "whose its Stripe account is cannot be read: "+words(err), "see that the database is up")
		return
	}
	for _, k := range pay.ListKinds {
		if k == pay.ListPayouts && owner != "" && owner != t.ID { // they are in the books of the tenant that had the account first
			continue
		}
		mark, err := e.Store.SweepMark(ctx, t.ID, k)
		if err != nil {
			e.fail(name, "its marks cannot be read: "+words(err), "see that the database is up")
			return
		}
		if kind == "" || mark.Through.Before(oldest) {
			oldest, kind = mark.Through, k
		}
	}
	do := "see that portatill serve runs with a PORTATILL_SWEEP_INTERVAL above 0, and what portatill sweep says"
	never := oldest.IsZero()
	if never {
		oldest = t.CreatedAt
	}
	late := now.Sub(oldest)
	what := fmt.Sprintf("%ss were last listed at Stripe %s ago", kind, age(late))
	if never {
		what = fmt.Sprintf("%ss were never listed at Stripe as a whole", kind)
	}
	switch {
	case late > sweepFail:
		e.fail(name, what, do)
	case late > sweepWarn:
		e.warn(name, what, do)
	case never:
		e.ok(name, "the tenant is new, its first is to come")
	default:
		e.ok(name, "everything at Stripe was listed %s ago", age(late))
	}
}

// proof proves the books of the last days.
func (e *examination) proof(ctx context.Context, t *pay.Tenant) {
	const name = "proof of books"
	proof, err := e.Proof(ctx, t.ID, e.Now().AddDate(0, 0, 1-proofDays), e.Now())
	if err != nil {
		e.fail(name, "it cannot be made: "+words(err), "see that the database is up")
		return
	}
	see := "see portatill books --proof --tenant " + t.Slug
	if len(proof.Broken) > 0 {
		e.fail(name, number(len(proof.Broken), "entry or closed day was", "entries or closed days were")+" changed after the booking", see)
		return
	}
	if !proof.Square() {
		what := ""
		for _, u := range proof.Unexplained {
			what += " " + u.Amount + " " + string(u.Currency)
		}
		e.fail(name, "unexplained in the last 31 days:"+what, see)
		return
	}
	e.ok(name, "nothing is unexplained in the last 31 days")
}
