package handlers

import (
	"regexp"
	"strings"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// operation is what a request asks for (product.md section 2).
type operation string

const (
	opDeleteCard operation = "delete card"
	opListCards  operation = "list cards"
	opChargeCard operation = "charge card"
	opSaveCard   operation = "save card"
	opCheckout   operation = "checkout"
	opSetup      operation = "checkout in setup mode"
	opPass       operation = "signed pass"
)

// stripeToken is the form of a Stripe.js token; anything else is no credential.
var stripeToken = regexp.MustCompile(`^(tok|pm|src)_[A-Za-z0-9_]{1,200}$`)

// operationOf finds the one operation a request asks for, or says why it asks for
// two or none.
func operationOf(r *wire.StripePaymentRequest) (operation, error) {
	conflict := func(field, why string) (operation, error) {
		return "", pay.Errorf(pay.CodeConflictingOps, field, "%s", why)
	}
	cart := len(r.ShoppingInformation) > 0
	saved := !r.StripeSourceId.IsEmpty()
	token := r.ApiSingleUseToken.Value
	single := stripeToken.MatchString(token)
	urls := !r.SuccessUrl.IsEmpty() || !r.CancelUrl.IsEmpty()
	switch {
	case strings.HasPrefix(token, "pt1."):
		return opPass, nil
	case token != "" && !single:
		return "", pay.Errorf(pay.CodeInvalidLicense, "apiSingleUseToken", "is neither a Stripe token (tok_, pm_, src_) nor a signed pass (pt1.)")
	case r.IsDelete && r.GetCustomerCardInformation:
		return conflict("IsDelete", "The request asks to delete a card and to list cards. Ask for one at a time; the answer to a delete lists the remaining cards.")
	case r.IsDelete && cart:
		return conflict("IsDelete", "The request asks to delete a card and has a cart. Ask for one at a time.")
	case r.GetCustomerCardInformation && cart:
		return conflict("GetCustomerCardInformation", "The request asks for the list of cards and has a cart. Ask for one at a time.")
	case single && (r.IsDelete || r.GetCustomerCardInformation):
		return conflict("apiSingleUseToken", "The request has a Stripe token to save or charge, and asks to delete or list cards. Ask for one at a time.")
	case saved && single:
		return conflict("StripeSourceId", "The request has a saved card and a Stripe token. Send the one to be used.")
	case r.IsDelete:
		return opDeleteCard, nil
	case r.GetCustomerCardInformation:
		return opListCards, nil
	case cart && (saved || single):
		return opChargeCard, nil
	case single:
		return opSaveCard, nil
	case cart:
		return opCheckout, nil
	case saved:
		return conflict("StripeSourceId", "The request names a saved card but not what to do with it: send a cart to charge it, or IsDelete to delete it.")
	case urls:
		return opSetup, nil
	}
	return conflict("", "The request asks for nothing: it has no cart, no card and no return addresses.")
}
