package tenantset

import (
	"time"

	"github.com/portatill/portatill/pay"
)

// ListFilter picks tenants, by slug.
type ListFilter struct {
	TenantID string // only this one; "" for all
	State    pay.TenantState
	Search   string // a part of slug or name, whatever its case
	After    string // slugs after this one, to page on
	Limit    int    // 0: 50
	// Day is since when orders are counted.
	Day time.Time
}

// Row is a tenant in a list.
type Row struct {
	Tenant        *pay.Tenant
	OrdersToday   int       // since ListFilter.Day; 10,000 stands for more, too
	LastWebhookAt time.Time // zero: none ever came
}
