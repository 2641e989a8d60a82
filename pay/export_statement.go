package pay

import (
	"context"
	"fmt"
	"time"
)

// StatementQuery asks for a customer's statement in one currency.
type StatementQuery struct {
	ExportSpan
	CustomerID string
	Currency   Currency
}

// StatementLine is one movement of a customer's credit.
type StatementLine struct {
	At          time.Time
	EntryID     string
	Kind        EntryKind
	Fact        string
	Amount      Money // what the customer was credited; negative for what was taken back
	Balance     Money // the credit after it
	OrderID     string
	ContentID   int64  // the order's
	FeatureName string // the order's, as the portal wrote it
	Memo        string
}

// Statement is what a customer's statement begins and ends with.
type Statement struct {
	Opening Money // the credit before the span
	Closing Money // and after it
	Lines   int64
}

// Statement calls fn for every movement of a customer's credit in a span, in the order in
// which they were booked. begin is called before, with the opening balance. A span that
// reaches until now closes with the credit that Books shows. One line at a time is held;
// begin and fn must not use the store.
func (s *Service) Statement(ctx context.Context, q StatementQuery, begin func(opening Money) error, fn func(*StatementLine) error) (*Statement, error) {
	st := &Statement{Opening: Money{0, q.Currency}, Closing: Money{0, q.Currency}}
	err := s.Store.ReadStatement(ctx, q, func(openingMinor int64) error {
		st.Opening.Minor, st.Closing.Minor = openingMinor, openingMinor
		return begin(st.Opening)
	}, func(l *StatementLine) error {
		sum, ok := addMinor(st.Closing.Minor, l.Amount.Minor)
		if !ok {
			return fmt.Errorf("the statement overflows at %s", l.EntryID)
		}
		st.Closing.Minor = sum
		l.Balance, st.Lines = st.Closing, st.Lines+1
		return fn(l)
	})
	if err != nil {
		return nil, err
	}
	return st, nil
}
