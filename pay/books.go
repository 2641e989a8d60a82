package pay

import (
	"cmp"
	"context"
	"slices"
)

// Books is what the ledger says, per tenant and currency.
type Books struct {
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
