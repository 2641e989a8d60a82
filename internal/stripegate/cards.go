package stripegate

import (
	"context"
	"errors"

	"github.com/portatill/portatill/pay"
)

var errUnbuilt = errors.New("not built yet")

func (g *Gate) Cards(context.Context, *pay.Tenant, string) ([]*pay.Card, error) {
	return nil, errUnbuilt
}
func (g *Gate) Card(context.Context, *pay.Tenant, string, string) (*pay.Card, error) {
	return nil, errUnbuilt
}
func (g *Gate) SaveCard(context.Context, *pay.Tenant, pay.CardToken, string) (*pay.Card, error) {
	return nil, errUnbuilt
}
func (g *Gate) LabelCard(context.Context, *pay.Tenant, string, string, string) error {
	return errUnbuilt
}
func (g *Gate) DeleteCard(context.Context, *pay.Tenant, string, string, string) error {
	return errUnbuilt
}
func (g *Gate) ChargeCard(context.Context, *pay.Tenant, pay.ChargeInput, string) (*pay.StripeIntent, error) {
	return nil, errUnbuilt
}
func (g *Gate) CancelIntent(context.Context, *pay.Tenant, string, string) (*pay.StripeIntent, error) {
	return nil, errUnbuilt
}
func (g *Gate) IntentMade(context.Context, *pay.Tenant, string, string) (string, error) {
	return "", errUnbuilt
}
func (g *Gate) CreateRefund(context.Context, *pay.Tenant, pay.RefundInput, string) (*pay.StripeRefund, error) {
	return nil, errUnbuilt
}
