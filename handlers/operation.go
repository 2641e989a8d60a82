package handlers

import (
	"strings"

	"github.com/portatill/portatill/internal/wire"
	"github.com/portatill/portatill/pay"
)

// operation is what a request asks for (product.md section 2), in words that
// continue "this release does not …".
type operation string

const (
	opDeleteCard operation = "delete saved cards"
	opListCards  operation = "list saved cards"
	opChargeCard operation = "charge cards off-session"
	opSaveCard   operation = "save card tokens"
	opCheckout   operation = "check carts out"
	opSetup      operation = "save cards on Stripe's page"
	opPass       operation = "take signed passes from browsers"
)

// operationOf finds the one operation a request asks for, or says why it asks for
// two or none.
func operationOf(r *wire.StripePaymentRequest) (operation, error) {
	conflict := func(field, why string) (operation, error) {
		return "", pay.Errorf(pay.CodeConflictingOps, field, "%s", why)
	}
	cart := len(r.ShoppingInformation) > 0
	saved := !r.StripeSourceId.IsEmpty()
	token := r.ApiSingleUseToken.Value
	stripeToken := strings.HasPrefix(token, "tok_") || strings.HasPrefix(token, "pm_") || strings.HasPrefix(token, "src_")
	urls := !r.SuccessUrl.IsEmpty() || !r.CancelUrl.IsEmpty()
	switch {
	case strings.HasPrefix(token, "pt1."):
		return opPass, nil
	case token != "" && !stripeToken:
		return "", pay.Errorf(pay.CodeInvalidLicense, "apiSingleUseToken", "is neither a Stripe token (tok_, pm_, src_) nor a signed pass (pt1.)")
	case r.IsDelete && r.GetCustomerCardInformation:
		return conflict("IsDelete", "The request asks to delete a card and to list cards. Ask for one at a time; the answer to a delete lists the remaining cards.")
	case r.IsDelete && cart:
		return conflict("IsDelete", "The request asks to delete a card and has a cart. Ask for one at a time.")
	case r.GetCustomerCardInformation && cart:
		return conflict("GetCustomerCardInformation", "The request asks for the list of cards and has a cart. Ask for one at a time.")
	case saved && stripeToken:
		return conflict("StripeSourceId", "The request has a saved card and a Stripe token. Send the one to be used.")
	case r.IsDelete:
		return opDeleteCard, nil
	case r.GetCustomerCardInformation:
		return opListCards, nil
	case cart && (saved || stripeToken):
		return opChargeCard, nil
	case stripeToken:
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
