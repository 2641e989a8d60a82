package pay

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
)

// CardsInput is a portal's request about a customer's saved cards.
type CardsInput struct {
	Tenant    *Tenant
	ICustomer int64
	Customer  Customer
	// StripeCustomer is the portal's CustomerId, "" when it sent none.
	StripeCustomer string
	CardID         string // StripeSourceId, for DeleteCard
	Token          string // apiSingleUseToken, for SaveCard
	CardInfo       string // the label for SaveCard, at most 100 characters
	SuccessURL     string // where the customer's own page leads back to, for ListCards

	IdempotencyKey string
	Digest         string
}

// CardList is a customer's saved cards, as Stripe has them now.
type CardList struct {
	Customer *Customer
	Cards    []*Card // newest first
	// Card is the one that SaveCard saved; nil otherwise.
	Card     *Card
	Replayed bool
}

func (in *CardsInput) resolve(s *Service) (CheckoutInput, error) {
	c := CheckoutInput{Tenant: in.Tenant, ICustomer: in.ICustomer, Customer: in.Customer, Digest: in.Digest}
	if err := c.resolveCustomer(); err != nil {
		return c, err
	}
	if err := tooLong("CardInfo", in.CardInfo, maxLabel); err != nil {
		return c, err
	}
	if len(in.IdempotencyKey) > maxKey {
		return c, Errorf(CodeBadRequest, "Idempotency-Key", "is longer than %d characters", maxKey)
	}
	if in.SuccessURL != "" {
		return c, in.Tenant.CheckReturnURL("SuccessUrl", in.SuccessURL, CanonicalOrigin(s.BaseURL))
	}
	return c, nil
}

// customerFor finds or makes the customer of a request about cards, and binds the
// CustomerId that came with it.
func (s *Service) customerFor(ctx context.Context, in *CardsInput) (*Customer, error) {
	about, err := in.resolve(s)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, in.Tenant); err != nil {
		return nil, err
	}
	if err := s.checkStripeCustomer(ctx, in.Tenant, about.Customer.ICustomer, in.StripeCustomer); err != nil {
		return nil, err
	}
	var c *Customer
	err = s.Store.InTx(ctx, func(tx Tx) (err error) {
		c, err = keepCustomer(ctx, tx, in.Tenant, about.Customer, s.Now())
		return err
	})
	if err == nil && in.StripeCustomer != "" && c.StripeCustomer == "" {
		err = s.bindStripeCustomer(ctx, in.Tenant, c, in.StripeCustomer)
	}
	return c, err
}

// ListCards lists a customer's saved cards, as Stripe has them now. It changes
// nothing but our copy, and may be called at any time.
//
// Errors: CodeCustomerMismatch, CodeNotEmpty, CodeOriginNotAllowed,
// CodeStripeUnavailable, CodeStripeError.
func (s *Service) ListCards(ctx context.Context, in CardsInput) (*CardList, error) {
	c, err := s.customerFor(ctx, &in)
	if err != nil {
		return nil, err
	}
	cards, err := s.cardsOf(ctx, in.Tenant, c)
	return &CardList{Customer: c, Cards: cards}, err
}

// cardsOf asks Stripe for a customer's cards and keeps our copy of them.
func (s *Service) cardsOf(ctx context.Context, t *Tenant, c *Customer) ([]*Card, error) {
	if c.StripeCustomer == "" {
		return nil, nil
	}
	cards, err := s.Gateway.Cards(ctx, t, c.StripeCustomer)
	if f := faultOf(err); f != nil && (f.Kind == FaultNotFound || deletedCustomer(err)) {
		return nil, s.forgetStripeCustomer(ctx, t, c)
	}
	if err != nil {
		return nil, stripeError("list cards", err)
	}
	return cards, s.Store.InTx(ctx, func(tx Tx) error { return tx.ReplaceCards(ctx, t.ID, c.ID, cards, s.Now()) })
}

// settleCards makes our copy of a Stripe customer's cards what Stripe has.
func (s *Service) settleCards(ctx context.Context, t *Tenant, stripeCustomer string) (Settlement, error) {
	c, err := s.Store.CustomerByStripeID(ctx, t.ID, stripeCustomer)
	if IsNotFound(err) {
		return Settlement{Outcome: OutcomeNotOurs, Note: "a Stripe customer that is none of ours"}, nil
	}
	if err != nil {
		return Settlement{}, err
	}
	if _, err := s.cardsOf(ctx, t, c); err != nil {
		return Settlement{}, err
	}
	return Settlement{Outcome: OutcomeApplied, Note: "the customer's cards were read"}, nil
}

// lookAtCards makes the job that reads a customer's cards after this commit.
func lookAtCards(ctx context.Context, tx Tx, tenantID, stripeCustomer string, cause Cause) error {
	if stripeCustomer == "" {
		return nil
	}
	return tx.Enqueue(ctx, SettleJob{TenantID: tenantID, ObjectID: stripeCustomer, Cause: cause})
}

// DeleteCard detaches a saved card and lists those that remain. A card that is not
// this customer's, or is gone already, is CodeCardNotFound, whoever's it is.
func (s *Service) DeleteCard(ctx context.Context, in CardsInput) (*CardList, error) {
	c, err := s.customerFor(ctx, &in)
	if err != nil {
		return nil, err
	}
	if err := s.RemoveCard(ctx, in.Tenant, c, in.CardID); err != nil {
		return nil, err
	}
	cards, err := s.cardsOf(ctx, in.Tenant, c)
	return &CardList{Customer: c, Cards: cards}, err
}

// RemoveCard detaches a card from a customer of ours; errors as DeleteCard.
func (s *Service) RemoveCard(ctx context.Context, t *Tenant, c *Customer, cardID string) error {
	if c.StripeCustomer == "" {
		return cardNotFound("StripeSourceId")
	}
	// A card can be detached once and never be attached again, so its id is the key.
	err := s.Gateway.DeleteCard(ctx, t, c.StripeCustomer, cardID, "portatill-detach-"+cardID)
	if f := faultOf(err); f != nil && (f.Kind == FaultNotFound || f.Kind == FaultRejected) {
		// Gone, it may be by a call of ours whose answer was lost: our copy must know.
		return errors.Join(cardNotFound("StripeSourceId"), s.readCards(ctx, t, c, "not found "+cardID))
	}
	if err != nil {
		return stripeError("delete card", err)
	}
	return s.readCards(ctx, t, c, "deleted "+cardID)
}

// RelabelCard sets the label of a customer's card; errors as DeleteCard, and
// CodeTooLong.
func (s *Service) RelabelCard(ctx context.Context, t *Tenant, c *Customer, cardID, label string) error {
	if err := tooLong("CardInfo", label, maxLabel); err != nil {
		return err
	}
	if _, err := s.ownCard(ctx, t, c.StripeCustomer, cardID); err != nil {
		return err
	}
	if err := s.Gateway.LabelCard(ctx, t, cardID, label, "portatill-"+NewID("lbl", s.Now())); err != nil {
		return stripeError("label card", err)
	}
	return s.readCards(ctx, t, c, "labelled "+cardID)
}

// readCards brings our copy up to date after a change; when Stripe does not answer
// now, a job does it.
func (s *Service) readCards(ctx context.Context, t *Tenant, c *Customer, why string) error {
	_, err := s.cardsOf(ctx, t, c)
	if CodeOf(err) != CodeStripeUnavailable {
		return err
	}
	return s.Store.InTx(ctx, func(tx Tx) error {
		return lookAtCards(ctx, tx, t.ID, c.StripeCustomer, Cause{CauseRequest, why})
	})
}

// SaveCard attaches what a Stripe.js token stands for to the customer. A token, or
// an Idempotency-Key, is good for one request: the same again is the same card.
//
// Errors: as ListCards; CodeCardDeclined; CodeCardNotFound for a token that Stripe
// does not know or that is used up; CodeIdempotencyConflict for a token or key that
// came with another request before.
func (s *Service) SaveCard(ctx context.Context, in CardsInput) (*CardList, error) {
	c, err := s.customerFor(ctx, &in)
	if err != nil {
		return nil, err
	}
	use, err := s.claimSave(ctx, &in, c)
	if err != nil {
		return nil, err
	}
	if use.CardID != "" {
		return s.savedBefore(ctx, in.Tenant, c, use)
	}
	card, err := s.attach(ctx, in.Tenant, c, CardToken{Token: in.Token, Label: in.CardInfo}, use.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	if use.Claim != "" {
		err := s.Store.InTx(ctx, func(tx Tx) error { return tx.SetTokenCard(ctx, in.Tenant.ID, use.Claim, card.ID, s.Now()) })
		if err != nil {
			return nil, err
		}
	}
	cards, err := s.cardsOf(ctx, in.Tenant, c)
	return &CardList{Customer: c, Cards: cards, Card: card}, err
}

// attach saves the token for the customer.
func (s *Service) attach(ctx context.Context, t *Tenant, c *Customer, token CardToken, key string) (*Card, error) {
	owner, err := s.livingCustomer(ctx, t, c, 1)
	if err != nil {
		return nil, stripeError("create customer", err)
	}
	token.StripeCustomer = owner
	card, err := s.Gateway.SaveCard(ctx, t, token, key)
	if f := faultOf(err); f != nil && (f.Kind == FaultNotFound || f.Kind == FaultRejected) {
		return nil, cardNotFound("apiSingleUseToken")
	}
	if f := faultOf(err); f != nil && f.Kind == FaultDeclined {
		return nil, &Error{Code: CodeCardDeclined, Field: "apiSingleUseToken", Message: DeclineAdvice(cmp.Or(f.DeclineCode, f.Code)),
			Meta: map[string]string{"decline_code": cmp.Or(f.DeclineCode, f.Code)}}
	}
	if err != nil {
		return nil, stripeError("save card", err)
	}
	return card, nil
}

func (s *Service) savedBefore(ctx context.Context, t *Tenant, c *Customer, use *TokenUse) (*CardList, error) {
	cards, err := s.cardsOf(ctx, t, c)
	if err != nil {
		return nil, err
	}
	for _, card := range cards {
		if card.ID == use.CardID {
			return &CardList{Customer: c, Cards: cards, Card: card, Replayed: true}, nil
		}
	}
	return nil, cardNotFound("apiSingleUseToken") // it was saved, and deleted since
}

// claimSave stores what a request to save a card uses up, before Stripe is asked,
// or finds what the same request used before.
func (s *Service) claimSave(ctx context.Context, in *CardsInput, c *Customer) (*TokenUse, error) {
	now := s.Now()
	claim := tokenClaim(in.Token)
	if claim == "" && in.IdempotencyKey != "" {
		claim = "key:" + in.IdempotencyKey
	}
	use := &TokenUse{TenantID: in.Tenant.ID, Claim: claim, Digest: in.Digest, CustomerID: c.ID,
		IdempotencyKey: "portatill-" + NewID("tok", now), CreatedAt: now, UpdatedAt: now}
	if claim == "" {
		return use, nil
	}
	for try := 0; ; try++ {
		known, err := usedBefore(ctx, s.Store, in.Tenant.ID, claim, in.Digest)
		if err != nil || known != nil {
			return known, err
		}
		err = s.Store.InTx(ctx, func(tx Tx) error { return tx.InsertTokenUse(ctx, use) })
		if CodeOf(err) != CodeConflict || try > 3 {
			return use, err
		}
	}
}

// singleUse is what the ids that Stripe makes look like: a digit first. A documented
// test token such as tok_visa or pm_card_visa is none of them: each use of it makes
// another card (docs.stripe.com/testing), and Stripe takes it with a test key only.
var singleUse = regexp.MustCompile(`^(tok|pm|src)_[0-9][A-Za-z0-9]{13,}$`)

// tokenClaim is what a token uses up, "" when it can be used again. Only a hash is
// kept: until it is used a token is as good as a card.
func tokenClaim(token string) string {
	if !singleUse.MatchString(token) {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return "tok:" + hex.EncodeToString(sum[:])
}

// usedBefore returns what the claim was used for by the same request, nil when it is
// fresh, and tokenUsed's error when another request used it.
func usedBefore(ctx context.Context, r Reader, tenantID, claim, digest string) (*TokenUse, error) {
	if claim == "" {
		return nil, nil
	}
	use, err := r.TokenUse(ctx, tenantID, claim)
	switch {
	case IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	case use.Digest != digest:
		return nil, tokenUsed()
	}
	return use, nil
}

func tokenUsed() error {
	return Errorf(CodeIdempotencyConflict, "apiSingleUseToken", "This token, or this Idempotency-Key, came before with another request; it is good for one")
}

// orderOfToken finds the order that this same request used its token for: a token that
// is used up has no other answer than that order's, a refused one's too.
func orderOfToken(ctx context.Context, r Reader, in *CheckoutInput) (*Order, error) {
	use, err := usedBefore(ctx, r, in.Tenant.ID, tokenClaim(in.Token), in.Digest)
	if err != nil || use == nil || use.OrderID == "" {
		return nil, orElse(err, Errorf(CodeNotFound, "", "no order was made with this token"))
	}
	return r.OrderByID(ctx, in.Tenant.ID, use.OrderID)
}

// claimToken makes a charge's token its own, in the transaction that stores it.
func claimToken(ctx context.Context, tx Tx, in *CheckoutInput, c *Checkout) error {
	claim := tokenClaim(in.Token)
	if claim == "" {
		return nil
	}
	if use, err := usedBefore(ctx, tx, in.Tenant.ID, claim, in.Digest); err != nil {
		return err
	} else if use != nil {
		return tokenUsed() // by an order that is over: the token is used up
	}
	a := c.Attempt
	return tx.InsertTokenUse(ctx, &TokenUse{TenantID: in.Tenant.ID, Claim: claim, Digest: in.Digest, OrderID: c.Order.ID, CustomerID: c.Customer.ID,
		IdempotencyKey: a.IdempotencyKey + ":card", CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt})
}
