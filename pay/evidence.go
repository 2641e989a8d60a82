package pay

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Evidence is what Stripe said of unclaimed money when it was found: enough for a
// person to find its owner there and here. Who paid is masked; the whole address and
// name are at Stripe.
type Evidence struct {
	SessionID       string `json:"session,omitempty"`
	IntentID        string `json:"intent,omitempty"`
	ChargeID        string `json:"charge,omitempty"`
	StripeCustomer  string `json:"stripe_customer,omitempty"`
	ClientReference string `json:"client_reference_id,omitempty"`
	// Metadata has the marks that Portatill puts on objects, and nothing of others.
	Metadata map[string]string `json:"metadata,omitempty"`
	Email    string            `json:"email,omitempty"` // such as a…@example.com
	Name     string            `json:"name,omitempty"`  // such as A… L…
	Method   string            `json:"method,omitempty"`
	At       time.Time         `json:"at,omitzero"` // when Stripe took it
	// SameEmail are the tenant's customers, by our ids, with the payer's address. They
	// are looked up while the address is at hand, because it is not kept.
	SameEmail []string `json:"same_email,omitempty"`
}

// marks are the metadata that evidence keeps.
var marks = []string{MetaOrder, MetaAttempt, MetaTenant, MetaCustomer, MetaICustomer}

// gatherEvidence reads what the facts tell; strangers' money is another tenant's
// customer's, of whom this tenant learns ids only.
func gatherEvidence(ctx context.Context, r Reader, tenantID string, f stripeFacts, strangers bool) (Evidence, error) {
	var e Evidence
	email, name := "", ""
	metadata := map[string]string{}
	keep := func(from map[string]string) {
		for _, k := range marks {
			if v := from[k]; v != "" && metadata[k] == "" {
				metadata[k] = clip(v, 100)
			}
		}
	}
	if x := f.session; x != nil {
		e.SessionID, e.IntentID, e.StripeCustomer, e.ClientReference, e.At = x.ID, x.IntentID, x.CustomerID, clip(x.ClientReferenceID, 100), x.CreatedAt
		email, name = x.PayerEmail, x.PayerName
		keep(x.Metadata)
	}
	if i := f.intent; i != nil {
		e.IntentID, e.StripeCustomer, e.At = i.ID, cmp.Or(i.CustomerID, e.StripeCustomer), i.CreatedAt
		keep(i.Metadata)
		if c := i.Charge; c != nil {
			e.ChargeID, e.Method, e.At = c.ID, c.Method, c.CreatedAt
			email, name = cmp.Or(c.PayerEmail, email), cmp.Or(c.PayerName, name)
		}
	}
	if strangers {
		return Evidence{SessionID: e.SessionID, IntentID: e.IntentID, ChargeID: e.ChargeID, At: e.At}, nil
	}
	if len(metadata) > 0 {
		e.Metadata = metadata
	}
	e.Email, e.Name = maskEmail(email), maskName(name)
	if email == "" {
		return e, nil
	}
	same, err := r.CustomersByEmail(ctx, tenantID, email, maxSuggested)
	e.SameEmail = same
	return e, err
}

// maskEmail keeps the first letter and the domain.
func maskEmail(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i <= 0 {
		return ""
	}
	return initial(address) + clip(address[i:], 80)
}

// maskName keeps the initials.
func maskName(name string) string {
	words := strings.Fields(name)
	for i, w := range words[:min(len(words), 4)] {
		words[i] = initial(w)
	}
	return strings.Join(words[:min(len(words), 4)], " ")
}

func initial(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return string(r) + "…"
}

// Suggestion is a customer whose unclaimed money may be, and why we think so.
type Suggestion struct {
	CustomerID string
	ICustomer  int64
	OrderID    string   // the order that it may be for, "" when none is known
	Why        []string // for staff, the strongest first
}

// maxSuggested bounds what one reason may suggest.
const maxSuggested = 5

// SuggestOwners says whose the money of a case may be, the likeliest first, never
// another tenant's customer. It suggests nothing when nothing is held.
func (s *Service) SuggestOwners(ctx context.Context, u *Unclaimed) ([]Suggestion, error) {
	if u.State != UnclaimedOpen || u.HeldMinor <= 0 {
		return nil, nil
	}
	g := &suggesting{ctx: ctx, r: s.Store, tenantID: u.TenantID}
	e := u.Evidence
	g.order(u.OrderID, "it came in for this order")
	if e.StripeCustomer != "" {
		g.found(s.Store.CustomerByStripeID(ctx, u.TenantID, e.StripeCustomer))("", "it was paid as their Stripe customer "+e.StripeCustomer)
	}
	if t := e.Metadata[MetaTenant]; t == "" || t == u.TenantID {
		g.order(e.Metadata[MetaOrder], "Stripe's object names this order")
		if id := e.Metadata[MetaCustomer]; id != "" {
			g.found(s.Store.CustomerByID(ctx, u.TenantID, id))("", "Stripe's object names this customer")
		}
		g.iCustomer(e.Metadata[MetaICustomer], "Stripe's object names this ICustomer")
	}
	if strings.HasPrefix(e.ClientReference, "ord_") {
		g.order(e.ClientReference, "Stripe's client_reference_id is this order")
	} else {
		g.iCustomer(e.ClientReference, "Stripe's client_reference_id is this ICustomer")
	}
	for _, id := range e.SameEmail {
		g.found(s.Store.CustomerByID(ctx, u.TenantID, id))("", "the payer's e-mail address was theirs")
	}
	if g.err == nil {
		orders, err := s.Store.OpenOrdersOver(ctx, u.TenantID, u.Amount, u.CreatedAt.AddDate(0, 0, -7), maxSuggested)
		g.err = err
		for _, o := range orders {
			g.order(o.ID, "an order of theirs over the same amount waits for its money")
		}
	}
	return g.list, g.err
}

// suggesting collects suggestions, one a customer.
type suggesting struct {
	ctx      context.Context
	r        Reader
	tenantID string
	list     []Suggestion
	err      error
}

// found takes a look-up's result; what does not exist is no suggestion.
func (g *suggesting) found(c *Customer, err error) func(orderID, why string) {
	return func(orderID, why string) {
		if IsNotFound(err) || g.err != nil {
			return
		}
		if err != nil {
			g.err = err
			return
		}
		for i := range g.list {
			if x := &g.list[i]; x.CustomerID == c.ID {
				x.OrderID, x.Why = cmp.Or(x.OrderID, orderID), append(x.Why, why)
				return
			}
		}
		g.list = append(g.list, Suggestion{CustomerID: c.ID, ICustomer: c.ICustomer, OrderID: orderID, Why: []string{why}})
	}
}

func (g *suggesting) order(id, why string) {
	if id == "" || g.err != nil {
		return
	}
	o, err := g.r.OrderByID(g.ctx, g.tenantID, id)
	if err != nil {
		g.found(nil, err)("", "")
		return
	}
	g.found(g.r.CustomerByID(g.ctx, g.tenantID, o.CustomerID))(id, why)
}

func (g *suggesting) iCustomer(text, why string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && g.err == nil {
		g.found(g.r.CustomerByICustomer(g.ctx, g.tenantID, n))("", why)
	}
}
