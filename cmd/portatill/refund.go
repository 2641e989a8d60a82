package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) refundCommand() *cobra.Command {
	var tenant, amount, reason, key string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "refund ORDER", Short: "Give a payment back, or a part of it",
		Long: "Give an order's payment back by Stripe to what the customer paid with: all that is left, or --amount in the order's\n" +
			"currency. The books follow Stripe. With the same --key it may be called again and is the same refund; without one, a\n" +
			"call for a part is a new refund each time, unless Stripe has not answered the one before.",
		Example: "  portatill refund ord_01jd…\n  portatill refund ord_01jd… --amount 5.00 --reason requested_by_customer --key ticket-4711", Args: oneArg("order's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason != "" && !slices.Contains([]string{"requested_by_customer", "duplicate", "fraudulent"}, reason) {
				return usagef("--reason: must be requested_by_customer, duplicate or fraudulent; see portatill refund --help")
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				t, order, err := findOrder(cmd.Context(), o, tenant, args[0])
				if err != nil {
					return err
				}
				in := pay.RefundOrder{TenantID: t.ID, OrderID: order.ID, Reason: reason, Key: key, Cause: pay.Cause{Kind: pay.CauseCLI, ID: cmp.Or(key, order.ID)}}
				if cmd.Flags().Changed("amount") {
					if in.Amount, err = refundAmount(amount, order.Cart.Currency); err != nil {
						return err
					}
				}
				r, err := o.pay.Refund(cmd.Context(), in)
				if err != nil {
					return refundError(err)
				}
				if err := a.print(asJSON, showRequest(r), func(w io.Writer) { writeRefund(w, r) }); err != nil {
					return err
				}
				if r.State == pay.RefundRefused {
					return errors.New("the refund was refused by Stripe; nothing went back")
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only if the order is this tenant's, by its slug")
	cmd.Flags().StringVar(&amount, "amount", "", "how much, such as 5.00; all that is left without it")
	cmd.Flags().StringVar(&reason, "reason", "", "requested_by_customer, duplicate or fraudulent")
	cmd.Flags().StringVar(&key, "key", "", "your own name for this refund: the same key is the same refund")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// refundAmount reads --amount. Zero is a mistake here, not all that is left.
func refundAmount(text string, c pay.Currency) (pay.Money, error) {
	m, err := pay.ParseMoney("--amount", strings.TrimSpace(text), c)
	if e, ok := errors.AsType[*pay.Error](err); ok {
		return m, usagef("--amount: %s", e.Message)
	}
	if err == nil && m.Minor <= 0 {
		return m, usagef("--amount: must be above 0; leave it out to give back all that is left")
	}
	return m, err
}

// refundError says a refusal in the command's own words.
func refundError(err error) error {
	e, ok := errors.AsType[*pay.Error](err)
	switch {
	case !ok:
		return err
	case e.Code == pay.CodeStripeUnavailable:
		return errors.New("no answer from Stripe: the refund is kept and sent again by itself; see portatill orders show")
	case e.Field != "" && (e.Code == pay.CodeBadRequest || e.Code == pay.CodeTooLong):
		return usagef("--%s: %s", e.Field, e.Message)
	case e.Field != "":
		return fmt.Errorf("--%s: %s", e.Field, e.Message)
	}
	return errors.New(e.Message)
}

func writeRefund(w io.Writer, r *pay.RefundRequest) {
	switch r.State {
	case pay.RefundMade:
		line(w, "%s is on its way back to the customer (%s).", r.Amount, r.StripeRefundID)
	case pay.RefundRequested:
		line(w, "%s is asked for; Stripe has not answered yet, and is asked again by itself.", r.Amount)
	case pay.RefundRefused:
		line(w, "%s: Stripe refused (%s).", r.Amount, cmp.Or(r.Failure, "without a reason"))
	}
}
