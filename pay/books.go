package pay

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Books is what the ledger says, per tenant and currency.
type Books struct {
	// Day is the day whose movements these are, "" for everything until now.
	Day     string        `json:"day,omitempty"`
	Tenants []TenantBooks `json:"tenants"`
	// Broken has one line for every row that breaks an invariant of the books;
	// empty is the only good value.
	Broken []string `json:"broken"`
}

// TenantBooks is one tenant's ledger in one currency. Amounts are decimal text;
// a debit balance is positive.
type TenantBooks struct {
	Tenant    string            `json:"tenant"`
	Currency  Currency          `json:"currency"`
	Accounts  map[string]string `json:"accounts"`
	Sum       string            `json:"sum"` // of all accounts: 0, or the books are wrong
	Customers []CustomerBooks   `json:"customers"`
	sumMinor  int64
}

// DayBooks reads what one day moved, in UTC: each account's and each customer's
// change between its midnight and the next.
func (s *Service) DayBooks(ctx context.Context, tenantID string, day time.Time) (*Books, error) {
	from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	moved, err := s.Store.Movements(ctx, tenantID, from, from.AddDate(0, 0, 1))
	if err != nil {
		return nil, err
	}
	broken, err := s.Store.VerifyBooks(ctx)
	if err != nil {
		return nil, err
	}
	books := &Books{Day: from.Format(time.DateOnly), Tenants: []TenantBooks{}, Broken: append([]string{}, broken...)}
	accounts := map[string]Money{}
	for _, m := range moved {
		n := len(books.Tenants)
		if n == 0 || books.Tenants[n-1].Tenant != m.Tenant || books.Tenants[n-1].Currency != m.Sum.Currency {
			books.Tenants = append(books.Tenants, TenantBooks{Tenant: m.Tenant, Currency: m.Sum.Currency,
				Accounts: map[string]string{}, Customers: []CustomerBooks{}})
			accounts, n = map[string]Money{}, n+1
		}
		t, name := &books.Tenants[n-1], string(m.Account)
		sum := Money{accounts[name].Minor + m.Sum.Minor, m.Sum.Currency}
		accounts[name], t.Accounts[name] = sum, sum.Text()
		t.sumMinor += m.Sum.Minor
		t.Sum = Money{t.sumMinor, t.Currency}.Text()
		if m.ICustomer != 0 {
			t.Customers = append(t.Customers, CustomerBooks{m.ICustomer, m.Name, Money{-m.Sum.Minor, m.Sum.Currency}.Text()})
		}
	}
	return books, nil
}

// CustomerBooks is what one customer was credited.
type CustomerBooks struct {
	ICustomer int64  `json:"i_customer"`
	Name      string `json:"name"`
	Credit    string `json:"credit"`
}

// Square reports whether nothing is wrong with the books.
func (b *Books) Square() bool {
	for _, t := range b.Tenants {
		if t.sumMinor != 0 {
			return false
		}
	}
	return len(b.Broken) == 0
}

// Books reads the ledger; tenantID "" means all tenants.
func (s *Service) Books(ctx context.Context, tenantID string) (*Books, error) {
	balances, err := s.Store.Balances(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	broken, err := s.Store.VerifyBooks(ctx)
	if err != nil {
		return nil, err
	}
	books := &Books{Tenants: []TenantBooks{}, Broken: append([]string{}, broken...)}
	index, tenants := map[string]int{}, map[string]bool{}
	for _, a := range balances {
		tenants[a.TenantID] = true
		key := a.TenantID + " " + string(a.Balance.Currency)
		i, ok := index[key]
		if !ok {
			i = len(books.Tenants)
			index[key] = i
			books.Tenants = append(books.Tenants, TenantBooks{Tenant: a.Tenant, Currency: a.Balance.Currency,
				Accounts: map[string]string{}, Customers: []CustomerBooks{}})
		}
		t := &books.Tenants[i]
		t.Accounts[string(a.Account)] = a.Balance.Text()
		t.sumMinor += a.Balance.Minor
		t.Sum = Money{t.sumMinor, t.Currency}.Text()
	}
	for id := range tenants {
		customers, err := s.Store.CustomerBalances(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, c := range customers {
			if i, ok := index[id+" "+string(c.Credit.Currency)]; ok {
				books.Tenants[i].Customers = append(books.Tenants[i].Customers, CustomerBooks{c.ICustomer, c.Name, c.Credit.Text()})
			}
		}
	}
	slices.SortFunc(books.Tenants, func(a, b TenantBooks) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Currency, b.Currency))
	})
	return books, nil
}
