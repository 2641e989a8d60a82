package stripegate

import (
	"cmp"
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"github.com/portatill/portatill/pay"
)

// Account returns the account that the tenant's key belongs to. Stripe's account object has no mode; the key's own kind
// is the mode of everything that is done with it. A restricted key without the right to read the account gives
// pay.FaultCredentials.
func (g *Gate) Account(ctx context.Context, t *pay.Tenant) (pay.StripeAccount, error) {
	var out pay.StripeAccount
	err := g.call(ctx, t, func(c conn) error {
		a := &stripe.Account{}
		params := c.params("")
		// The SDK's method for one's own account takes no context.
		if err := c.get("/v1/account", &params, a); err != nil {
			return err
		}
		if err := whole(a.Object, a.ID, "account", ""); err != nil {
			return err
		}
		out = pay.StripeAccount{ID: a.ID, Livemode: pay.LiveKey(t.StripeKey), Name: accountName(a)}
		return nil
	})
	return out, err
}

func accountName(a *stripe.Account) string {
	business, dashboard, company := "", "", ""
	if a.BusinessProfile != nil {
		business = a.BusinessProfile.Name
	}
	if a.Settings != nil && a.Settings.Dashboard != nil {
		dashboard = a.Settings.Dashboard.DisplayName
	}
	if a.Company != nil {
		company = a.Company.Name
	}
	return cmp.Or(dashboard, business, company)
}

// CreateCustomer makes a Stripe customer and returns its cus_… id. It may be repeated with the same key. What a portal
// wrote as e-mail, telephone or country is left out when Stripe would refuse it: a typing error there must not stop a
// payment.
func (g *Gate) CreateCustomer(ctx context.Context, t *pay.Tenant, cu *pay.Customer, key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	id, err := g.makeCustomer(ctx, t, cu, key)
	if !kept(err) {
		return id, err
	}
	if id, err = g.findCustomer(ctx, t, cu); err != nil || id != "" {
		return id, err
	}
	return g.makeCustomer(ctx, t, cu, key+again)
}

func (g *Gate) makeCustomer(ctx context.Context, t *pay.Tenant, cu *pay.Customer, key string) (string, error) {
	var id string
	err := g.call(ctx, t, func(c conn) error {
		out := &stripe.Customer{}
		if err := c.post("/v1/customers", customerParams(c, t, cu, key), out); err != nil {
			return err
		}
		if err := whole(out.Object, out.ID, "customer", ""); err != nil {
			return err
		}
		if out.Livemode != t.StripeLivemode {
			return &pay.StripeFault{Kind: pay.FaultRejected, Code: "livemode_mismatch",
				Message: "Stripe's answer is of the other mode (live or test) than the tenant; set the tenant's key again"}
		}
		id = out.ID
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// Customer fetches a Stripe customer. Stripe answers for a deleted one as well, with little more than its id; here it is
// pay.FaultNotFound.
func (g *Gate) Customer(ctx context.Context, t *pay.Tenant, id string) (*pay.StripeCustomer, error) {
	if err := checkID(id, "cus_"); err != nil {
		return nil, err
	}
	var out *pay.StripeCustomer
	err := g.call(ctx, t, func(c conn) error {
		cu, err := c.customer(id)
		if err != nil {
			return err
		}
		if cu.Deleted {
			return customerDeleted(id)
		}
		out = &pay.StripeCustomer{ID: cu.ID, Livemode: cu.Livemode, Metadata: cu.Metadata}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c conn) customer(id string) (*stripe.Customer, error) {
	cu := &stripe.Customer{}
	if err := c.get(stripe.FormatURLPath("/v1/customers/%s", id), &stripe.CustomerParams{Params: c.params("")}, cu); err != nil {
		return nil, err
	}
	return cu, whole(cu.Object, cu.ID, "customer", id)
}

func customerDeleted(id string) error {
	return &pay.StripeFault{Kind: pay.FaultNotFound, Code: "customer_deleted", Message: "the customer " + id + " was deleted at Stripe"}
}

func customerParams(c conn, t *pay.Tenant, cu *pay.Customer, key string) *stripe.CustomerParams {
	p := &stripe.CustomerParams{Params: c.params(key), Metadata: map[string]string{
		pay.MetaTenant: t.ID, pay.MetaCustomer: cu.ID, pay.MetaICustomer: strconv.FormatInt(cu.ICustomer, 10),
	}}
	p.Name = optional(clip(strings.TrimSpace(cmp.Or(cu.Name, cu.Company)), 256))
	p.Email = optional(usableEmail(cu.Email))
	if phone := strings.TrimSpace(cu.Phone); len(phone) <= 20 {
		p.Phone = optional(phone)
	}
	if a := cu.Address; a != (pay.Address{}) {
		p.Address = &stripe.AddressParams{
			Line1: optional(a.Line1), Line2: optional(a.Line2), City: optional(a.City), State: optional(a.State),
			PostalCode: optional(a.PostalCode),
		}
		if countryPattern.MatchString(a.Country) {
			p.Address.Country = stripe.String(a.Country)
		}
	}
	return p
}

var (
	countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)
	// emailPattern is what Stripe surely takes; it refuses addresses that RFC 5321 would allow.
	emailPattern = regexp.MustCompile(`^[A-Za-z0-9_+'-]+(\.[A-Za-z0-9_+'-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$`)
)

// usableEmail returns the address when Stripe would take it, else "".
func usableEmail(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 254 || !emailPattern.MatchString(s) {
		return ""
	}
	return s
}

func optional(s string) *string {
	if s = clip(strings.TrimSpace(s), 500); s == "" {
		return nil
	}
	return &s
}
