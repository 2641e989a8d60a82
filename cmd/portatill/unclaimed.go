package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) unclaimedCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "unclaimed", Short: "See money that matches no order, and decide whose it is",
		Long: "Money at Stripe that no order of ours asked for, second payments of paid orders, and payments whose facts disagree are\n" +
			"kept as cases until a person decides: give the money to a customer, give it back, or close the case with a reason.",
		Example: "  portatill unclaimed list", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.unclaimedListCommand(), a.unclaimedAssignCommand(), a.unclaimedRefundCommand(), a.unclaimedIgnoreCommand())
	return cmd
}

func (a *app) unclaimedListCommand() *cobra.Command {
	var tenant string
	var all, asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what a person must decide about, the newest first",
		Long: "List the cases that wait for a person, with what Stripe says of each, whose it may be, and the commands that mend it.\n" +
			"Who paid is masked; Stripe has the whole address and name.",
		Example: "  portatill unclaimed list --tenant acme\n  portatill unclaimed list --all --json", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(o *opened) error {
				shown, err := listUnclaimed(cmd.Context(), o, tenant, all)
				if err != nil {
					return err
				}
				return a.print(asJSON, shown, func(w io.Writer) { writeUnclaimed(w, shown, all) })
			})
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's, by its slug")
	cmd.Flags().BoolVar(&all, "all", false, "also what was decided")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (a *app) unclaimedAssignCommand() *cobra.Command {
	var tenant, order, reason string
	var customer int64
	var asJSON bool
	cmd := &cobra.Command{
		Use: "assign ID", Short: "Give unclaimed money to a customer",
		Long: "Credit a customer with all that is held of a case, and tell PortaBilling and the tenant's own system. The customer is\n" +
			"named by --customer, or by an --order of theirs. The order itself stays as it is: one that is open can still be paid.\n" +
			"It may be called again with the same customer; another decision is refused.",
		Example: "  portatill unclaimed assign unc_01jd… --customer 12345 --reason 'paid by an old link'\n  portatill unclaimed assign unc_01jd… --order ord_01jd… --reason 'paid twice, wants credit'",
		Args:    oneArg("case's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []string
			if (customer != 0) == (order != "") || customer < 0 {
				faults = append(faults, "name one of --customer (an ICustomer above 0) and --order")
			}
			if order != "" && !strings.HasPrefix(order, "ord_") {
				faults = append(faults, "--order: must be an order's id, such as ord_01jd…")
			}
			if err := needReason("assign", reason, faults); err != nil {
				return err
			}
			return a.withCase(cmd.Context(), tenant, args[0], func(o *opened, u *pay.Unclaimed) error {
				u, err := o.pay.AssignUnclaimed(cmd.Context(), pay.AssignUnclaimed{TenantID: u.TenantID, ID: u.ID, ICustomer: customer, OrderID: order,
					Reason: reason, Cause: a.staff(u.ID)})
				if err != nil {
					return caseError(err)
				}
				return a.printCase(cmd.Context(), o, u, asJSON, func(w io.Writer, c shownCase) {
					line(w, "%s of %s is customer %d's now; PortaBilling will be told.", c.Assigned, c.ID, c.Customer)
					if order != "" {
						sayOrder(cmd.Context(), w, o, u.TenantID, order)
					}
				})
			})
		},
	}
	cmd.Flags().Int64Var(&customer, "customer", 0, "the customer's ICustomer")
	cmd.Flags().StringVar(&order, "order", "", "an order of the customer's")
	caseFlags(cmd, &tenant, &asJSON)
	cmd.Flags().StringVar(&reason, "reason", "", "why, in your own words; kept with the books")
	return cmd
}

// sayOrder warns of an order that still asks its customer for the same money.
func sayOrder(ctx context.Context, w io.Writer, o *opened, tenantID, id string) {
	if order, err := o.store.OrderByID(ctx, tenantID, id); err == nil && order.State != pay.OrderPaid {
		line(w, "Order %s stays %s: the money is the customer's credit, not the order's payment.", id, order.State)
	}
}

func (a *app) unclaimedRefundCommand() *cobra.Command {
	var tenant, amount, reason, key string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "refund ID", Short: "Give unclaimed money back to whoever paid it",
		Long: "Give what is held of a case back by Stripe, all of it, or --amount in its currency. The books follow Stripe, and the case\n" +
			"is closed when nothing is left. With the same --key it may be called again and is the same refund; without one, a call\n" +
			"for a part is a new refund each time, unless Stripe has not answered the one before.",
		Example: "  portatill unclaimed refund unc_01jd…\n  portatill unclaimed refund unc_01jd… --amount 5.00 --reason duplicate --key ticket-4711", Args: oneArg("case's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason != "" && !slices.Contains([]string{"requested_by_customer", "duplicate", "fraudulent"}, reason) {
				return usagef("--reason: must be requested_by_customer, duplicate or fraudulent; see portatill unclaimed refund --help")
			}
			return a.withCase(cmd.Context(), tenant, args[0], func(o *opened, u *pay.Unclaimed) error {
				in := pay.RefundUnclaimed{TenantID: u.TenantID, ID: u.ID, Reason: reason, Key: key, Cause: a.staff(cmp.Or(key, u.ID))}
				if cmd.Flags().Changed("amount") {
					var err error
					if in.Amount, err = refundAmount(amount, u.Amount.Currency); err != nil {
						return err
					}
				}
				r, err := o.pay.RefundUnclaimed(cmd.Context(), in)
				if err != nil {
					return caseError(err)
				}
				return a.print(asJSON, showRequest(r), func(w io.Writer) { writeRefund(w, r) })
			})
		},
	}
	caseFlags(cmd, &tenant, &asJSON)
	cmd.Flags().StringVar(&amount, "amount", "", "how much, such as 5.00; all that is left without it")
	cmd.Flags().StringVar(&reason, "reason", "", "requested_by_customer, duplicate or fraudulent")
	cmd.Flags().StringVar(&key, "key", "", "your own name for this refund: the same key is the same refund")
	return cmd
}

func (a *app) unclaimedIgnoreCommand() *cobra.Command {
	var tenant, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ignore ID", Short: "Close a case with a reason",
		Long: "Close a case of which nothing is to be done. Money that is held stays in the suspense account, where the books show it;\n" +
			"it is neither credited nor given back.",
		Example: "  portatill unclaimed ignore unc_01jd… --reason 'a test payment of the shop'", Args: oneArg("case's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needReason("ignore", reason, nil); err != nil {
				return err
			}
			return a.withCase(cmd.Context(), tenant, args[0], func(o *opened, u *pay.Unclaimed) error {
				u, err := o.pay.IgnoreUnclaimed(cmd.Context(), pay.IgnoreUnclaimed{TenantID: u.TenantID, ID: u.ID, Reason: reason, Cause: a.staff(u.ID)})
				if err != nil {
					return caseError(err)
				}
				return a.printCase(cmd.Context(), o, u, asJSON, func(w io.Writer, c shownCase) {
					line(w, "%s is closed.", c.ID)
					if u.HeldMinor != 0 {
						line(w, "%s of it stays in the suspense account.", c.Held)
					}
				})
			})
		},
	}
	caseFlags(cmd, &tenant, &asJSON)
	cmd.Flags().StringVar(&reason, "reason", "", "why, in your own words; kept with the case")
	return cmd
}

func caseFlags(cmd *cobra.Command, tenant *string, asJSON *bool) {
	cmd.Flags().StringVar(tenant, "tenant", "", "only if the case is this tenant's, by its slug")
	jsonFlag(cmd, asJSON)
}

func needReason(command, reason string, faults []string) error {
	if strings.TrimSpace(reason) == "" {
		faults = append(faults, "--reason: is needed, in your own words")
	}
	if len(faults) == 0 {
		return nil
	}
	return usagef("%s", strings.Join(append(faults, "see portatill unclaimed "+command+" --help"), "\n"))
}

// staff is who decides: the account at this machine, where it is known.
func (a *app) staff(otherwise string) pay.Cause {
	for _, name := range []string{"SUDO_USER", "USER"} {
		if who, _ := a.env(name); who != "" {
			return pay.Cause{Kind: pay.CauseCLI, ID: who}
		}
	}
	if u, err := user.Current(); err == nil && u.Username != "" { // in a container, by cron
		return pay.Cause{Kind: pay.CauseCLI, ID: u.Username}
	}
	return pay.Cause{Kind: pay.CauseCLI, ID: otherwise}
}

// withCase finds a case by its id, of one tenant when a slug is given. Another tenant's
// is answered as one that does not exist.
func (a *app) withCase(ctx context.Context, slug, id string, work func(o *opened, u *pay.Unclaimed) error) error {
	if !strings.HasPrefix(id, "unc_") {
		return usagef("%q is not a case's id, such as unc_01jd…; see portatill unclaimed list, or portatill unclaimed --help", id)
	}
	return a.withStore(ctx, func(o *opened) error {
		tenants, err := tenantsOf(ctx, o, slug)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			u, err := o.store.UnclaimedByID(ctx, t.ID, id)
			if pay.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			return work(o, u)
		}
		return fmt.Errorf("there is no case %s; see portatill unclaimed list --all", id)
	})
}

func tenantsOf(ctx context.Context, o *opened, slug string) ([]*pay.Tenant, error) {
	if slug == "" {
		return o.store.ListTenants(ctx)
	}
	t, err := findTenant(ctx, o, slug)
	return []*pay.Tenant{t}, err
}

// caseError says a refusal in the command's own words.
func caseError(err error) error {
	e, ok := errors.AsType[*pay.Error](err)
	switch {
	case !ok:
		return err
	case e.Code == pay.CodeStripeUnavailable:
		return errors.New("no answer from Stripe: the refund is kept and sent again by itself; see portatill unclaimed list")
	case e.Field != "" && (e.Code == pay.CodeBadRequest || e.Code == pay.CodeTooLong):
		return usagef("--%s: %s", e.Field, e.Message)
	case e.Field != "":
		return fmt.Errorf("--%s: %s", e.Field, e.Message)
	}
	return errors.New(e.Message)
}

// age says how long ago in the largest unit of which there are two, or in minutes.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
	switch minutes := int(d.Minutes()); {
	case minutes < 1:
		return "less than a minute ago"
	case minutes == 1:
		return "1 minute ago"
	default:
		return fmt.Sprintf("%d minutes ago", minutes)
	}
}
