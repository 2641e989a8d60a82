package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/pay"
)

func (a *app) postingsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "postings", Short: "See what PortaBilling must be told, and say what was entered by hand",
		Long: "Each payment, refund and lost dispute is one posting to PortaBilling. One that waits or needs a person can be marked as\n" +
			"done once somebody entered it there by hand; from then on it is never sent, and the proof of books counts it.",
		Example: "  portatill postings list --state attention", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(a.postingsListCommand(), a.postingsShowCommand(), a.postingsDoneCommand())
	return cmd
}

// attention stands for all states of a posting that need a person.
const attention = "attention"

// postingSearch is what `postings list` can be asked for.
type postingSearch struct {
	tenant, state, about, after string
	limit                       int
}

// check tells everything that is wrong with the question, one line each.
func (q *postingSearch) check(cmd *cobra.Command) error {
	var faults []string
	bad := func(flag, problem string) { faults = append(faults, "--"+flag+": "+problem) }
	if q.state != "" && q.state != attention && !slices.Contains(pay.PostingStates, pay.PostingState(q.state)) {
		bad("state", "must be "+postingStates())
	}
	if q.limit < 1 || q.limit > 1000 {
		bad("limit", "must be between 1 and 1000")
	}
	if q.after != "" && !isID(q.after, "pst") {
		bad("after", "must be a posting's id, such as pst_01jd…")
	}
	if len(faults) > 0 {
		return usagef("%s", strings.Join(append(faults, "see "+cmd.CommandPath()+" --help"), "\n"))
	}
	return nil
}

func postingStates() string {
	names := []string{attention}
	for _, s := range pay.PostingStates {
		names = append(names, string(s))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// filters are the questions whose answers are the list. A state is asked for with each
// kind, because the index has both and then the id.
func (q *postingSearch) filters(tenantID string) (all []pay.PostingFilter) {
	f := pay.PostingFilter{TenantID: tenantID, After: q.after, Limit: q.limit}
	if strings.HasPrefix(q.about, "ord_") {
		f.OrderID = q.about
	} else {
		f.SubjectID = q.about
	}
	for _, state := range pay.PostingStates {
		if q.state != string(state) && (q.state != attention || !state.NeedsPerson()) {
			continue
		}
		f.State = state
		if q.about != "" {
			all = append(all, f)
			continue
		}
		for _, f.Kind = range pay.PostingKinds {
			all = append(all, f)
		}
	}
	if q.state == "" {
		all = append(all, f)
	}
	return all
}

func (a *app) postingsListCommand() *cobra.Command {
	var q postingSearch
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List postings, newest first", Args: noArgs,
		Long: "List what PortaBilling is to be told or was told, newest first. --state attention has all that need a person.",
		Example: "  portatill postings list --tenant acme --state attention\n  portatill postings list --about ord_01jd…\n" +
			"  portatill postings list --state pending --limit 1000 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := q.check(cmd); err != nil {
				return err
			}
			return a.withStore(cmd.Context(), func(o *opened) error {
				shown, err := q.list(cmd.Context(), o)
				if err != nil {
					return err
				}
				return a.print(asJSON, shown, func(w io.Writer) { writePostings(w, shown, q.limit) })
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&q.tenant, "tenant", "", "only this tenant's, by its slug")
	flags.StringVar(&q.state, "state", "", "in this state: "+postingStates())
	flags.StringVar(&q.about, "about", "", "of this order (ord_…), or of this payment, refund, dispute or case")
	flags.IntVar(&q.limit, "limit", 50, "at most so many, 1 to 1000")
	flags.StringVar(&q.after, "after", "", "go on after this posting, the last one of the page before")
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (q *postingSearch) list(ctx context.Context, o *opened) ([]postingRow, error) {
	tenants, err := tenantsOf(ctx, o, q.tenant)
	if err != nil {
		return nil, err
	}
	shown := []postingRow{}
	for _, t := range tenants {
		for _, f := range q.filters(t.ID) {
			page, err := o.store.ListPostingsPage(ctx, f)
			if err != nil {
				return nil, err
			}
			for _, p := range page {
				shown = append(shown, rowOfPosting(t, p))
			}
		}
	}
	slices.SortFunc(shown, func(a, b postingRow) int { return cmp.Compare(b.ID, a.ID) })
	return shown[:min(len(shown), q.limit)], nil
}

func (a *app) postingsShowCommand() *cobra.Command {
	var tenant string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one posting", Long: "Show a posting: what PortaBilling is to be told, how it stands, and the command that marks it as done.",
		Example: "  portatill postings show pst_01jd…", Args: oneArg("posting's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPosting(cmd.Context(), tenant, args[0], func(_ *opened, t *pay.Tenant, p *pay.Posting) error {
				shown := rowOfPosting(t, p)
				return a.print(asJSON, shown, func(w io.Writer) { writePosting(w, shown) })
			})
		},
	}
	postingFlags(cmd, &tenant, &asJSON)
	return cmd
}

func (a *app) postingsDoneCommand() *cobra.Command {
	var tenant, from, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "done ID", Short: "Say that PortaBilling has what a posting tells",
		Long: "Mark a posting as posted because somebody entered it in PortaBilling by hand. It is never sent from then on, and the\n" +
			"proof of books counts it. --from refuses when the posting is in another state by now. It may be called again.",
		Example: "  portatill postings done pst_01jd… --reason 'entered by hand, ticket 4711'", Args: oneArg("posting's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var faults []string
			if strings.TrimSpace(reason) == "" {
				faults = append(faults, "--reason: is needed, in your own words")
			}
			if from != "" && !slices.Contains(pay.PostingStates, pay.PostingState(from)) {
				faults = append(faults, "--from: must be a posting's state, such as needs_review")
			}
			if len(faults) > 0 {
				return usagef("%s", strings.Join(append(faults, "see portatill postings done --help"), "\n"))
			}
			return a.withPosting(cmd.Context(), tenant, args[0], func(o *opened, t *pay.Tenant, p *pay.Posting) error {
				done, err := o.pay.MarkPosted(cmd.Context(), pay.MarkPosted{TenantID: p.TenantID, ID: p.ID, From: pay.PostingState(from), Reason: reason, Cause: a.staff(p.ID)})
				if err != nil {
					return caseError(err)
				}
				shown := rowOfPosting(t, done)
				return a.print(asJSON, shown, func(w io.Writer) { line(w, "%s, %s, is posted.", shown.ID, shown.Amount) })
			})
		},
	}
	postingFlags(cmd, &tenant, &asJSON)
	cmd.Flags().StringVar(&from, "from", "", "only when it is in this state")
	cmd.Flags().StringVar(&reason, "reason", "", "why, in your own words; kept with the order's story")
	return cmd
}

func postingFlags(cmd *cobra.Command, tenant *string, asJSON *bool) {
	cmd.Flags().StringVar(tenant, "tenant", "", "only if the posting is this tenant's, by its slug")
	jsonFlag(cmd, asJSON)
}

// withPosting finds a posting by its id, of one tenant when a slug is given. Another
// tenant's is answered as one that does not exist.
func (a *app) withPosting(ctx context.Context, slug, id string, work func(o *opened, t *pay.Tenant, p *pay.Posting) error) error {
	if !strings.HasPrefix(id, "pst_") {
		return usagef("%q is not a posting's id, such as pst_01jd…; see portatill postings list, or portatill postings --help", id)
	}
	return a.withStore(ctx, func(o *opened) error {
		tenants, err := tenantsOf(ctx, o, slug)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			p, err := o.store.PostingByID(ctx, t.ID, id)
			if pay.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			return work(o, t, p)
		}
		return fmt.Errorf("there is no posting %s; see portatill postings list", id)
	})
}

// postingRow is what PortaBilling is to be told, or was.
type postingRow struct {
	ID        string   `json:"id"`
	Tenant    string   `json:"tenant"`
	Kind      string   `json:"kind"`
	State     string   `json:"state"`
	Amount    string   `json:"amount"`
	Order     string   `json:"order"`
	Subject   string   `json:"subject"` // the payment, refund, dispute or case
	Commands  []string `json:"commands"`
	CreatedAt string   `json:"created_at"`
	UpdatedAt string   `json:"updated_at"`
}

func rowOfPosting(t *pay.Tenant, p *pay.Posting) postingRow {
	s := postingRow{ID: p.ID, Tenant: t.Slug, Kind: string(p.Kind), State: string(p.State), Amount: p.Amount.String(), Order: p.OrderID, Subject: p.SubjectID,
		Commands: []string{}, CreatedAt: moment(p.CreatedAt), UpdatedAt: moment(p.UpdatedAt)}
	if p.State.Markable() {
		s.Commands = append(s.Commands, fmt.Sprintf("portatill postings done %s --reason '…'", p.ID))
	}
	return s
}

func writePostings(w io.Writer, shown []postingRow, limit int) {
	if len(shown) == 0 {
		line(w, "There are no such postings.")
		return
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line(table, "POSTING\tTENANT\tKIND\tSTATE\tAMOUNT\tABOUT\tMADE")
	for _, s := range shown {
		line(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s", s.ID, s.Tenant, s.Kind, s.State, s.Amount, cmp.Or(s.Order, s.Subject), s.CreatedAt)
	}
	_ = table.Flush() // as line: nothing to be done about a closed terminal
	if len(shown) == limit {
		line(w, "There may be more: --after %s", shown[len(shown)-1].ID)
	}
}

func writePosting(w io.Writer, s postingRow) {
	line(w, "%s  %s  %s  %s", s.ID, s.Tenant, s.State, s.Amount)
	for _, row := range [][2]string{{"what", s.Kind}, {"order", s.Order}, {"about", s.Subject}, {"made", s.CreatedAt}, {"changed", s.UpdatedAt}} {
		if row[1] != "" {
			line(w, "  %-9s %s", row[0], printable(row[1]))
		}
	}
	for _, c := range s.Commands {
		line(w, "  %-9s %s", "do", c)
	}
}
