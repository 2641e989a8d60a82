package views_test

import (
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"github.com/portatill/portatill/views"
)

func frame() views.Frame {
	return views.Frame{
		StyleURL: "/static/css/app.css?v=1",
		IconURL:  "/static/img/icon.svg?v=1",
		BrandCSS: "/pay/tok/brand.css",
		Tenant:   views.Tenant{Name: "Acme Telecom", SupportEmail: "help@acme.example"},
	}
}

func order(state views.OrderState) views.OrderView {
	return views.OrderView{
		Frame:         frame(),
		State:         state,
		PayURL:        "/pay/tok",
		CancelURL:     "/pay/tok/cancel",
		ReceiptURL:    "/pay/tok/receipt",
		ContinueURL:   "https://portal.example/paid?order=ord_1",
		OrderID:       "ord_01hv3k9x2m",
		FeatureName:   "Broadband and a second number",
		ContentID:     "basket-20817",
		CustomerName:  "Ada L.",
		CustomerEmail: "a••@example.com",
		Lines: []views.Line{
			{Title: "Full Fibre 150", Information: []string{"Includes router, delivered to your address"}, Quantity: "1 × £12.00", Amount: "£12.00",
				Explanation: "1 × (£0.00 set-up + £12.00 × 1 month) = £12.00; VAT 20 % of £12.00 = £2.40"},
			{Title: "Second number", Quantity: "2 × £6.00", Amount: "£12.00",
				Explanation: "2 × (£5.00 set-up + £1.00 × 1 month) = £12.00; VAT 20 % of £12.00 = £2.40"},
		},
		Totals: views.Totals{Subtotal: "£24.00", VATLabel: "VAT 20 %", VAT: "£4.80", Total: "£28.80"},
		AfterToday: []string{
			"Then £14.00 a month, billed by Acme Telecom.",
		},
		SavedCards: []views.SavedCard{
			{ID: "pm_1", Brand: "visa", Last4: "4242", Expires: "12/2030", Default: true},
			{ID: "pm_2", Brand: "mastercard", Last4: "4444", Expires: "03/2028", Label: "Company card"},
			{ID: "pm_3", Brand: "amex", Last4: "0005", Expires: "01/2024", Expired: true},
		},
		ExpiresAt: "22 November 2026, 20:15 GMT",
	}
}

func returned(state views.OrderState, outcome views.Outcome) views.ReturnView {
	return views.ReturnView{
		Frame:          frame(),
		State:          state,
		Outcome:        outcome,
		OrderID:        "ord_01hv3k9x2m",
		Reference:      "basket-20817",
		Amount:         "£28.80",
		PaidWith:       "visa •••• 4242",
		ContinueURL:    "https://portal.example/paid?order=ord_1&sig=abc",
		ReceiptURL:     "/pay/tok/receipt",
		RetryURL:       "/pay/tok",
		CancelURL:      "/pay/tok/cancel",
		CheckURL:       "/pay/tok/return",
		RefreshSeconds: 5,
	}
}

func receipt() views.ReceiptView {
	o := order(views.StatePaid)
	return views.ReceiptView{
		Frame:         frame(),
		State:         views.StatePaid,
		OrderID:       o.OrderID,
		Reference:     o.ContentID,
		PaidAt:        "22 November 2026, 19:48 GMT",
		CustomerName:  "Ada Lovelace",
		CustomerEmail: "ada@example.com",
		SellerLines:   []string{"1 Exchange Square, London", "VAT GB 123 4567 89"},
		Lines:         o.Lines,
		Totals:        o.Totals,
		PaidWith:      "visa •••• 4242",
		ContinueURL:   "https://portal.example/",
	}
}

func home() views.HomeView {
	return views.HomeView{
		Frame:      views.Frame{Sandbox: true},
		Version:    "0.1.0",
		SandboxURL: "http://127.0.0.1:4242/",
		AdminURL:   "/admin",
		DocsURL:    "/metadata",
		Curl: `curl -sS http://127.0.0.1:8080/ChargeStripeCustomerCard \
  -H 'Authorization: Bearer lic_demo_4f1c' \
  -H 'Content-Type: application/json' -H 'Accept: application/json' \
  -d '{"ICustomer":1001,"ShoppingInformation":[{"Title":"Full Fibre 150","Quantity":1,"MonthlyFee":12,"AdvancePeriod":1}],
       "SuccessUrl":"http://localhost:3000/paid","CancelUrl":"http://localhost:3000/basket"}'`,
	}
}

// Text that tries to leave its place: by markup, by direction, by length, by stacked marks.
const (
	hostile = `<script>alert(1)</script>"><img src=x onerror=alert(1)>{{7*7}}${7*7}`
	bidi    = "Invoice \u202Egnp.exe\u2066 \u200Bfree"
	hebrew  = "אינטרנט סיב אופטי 150 Mbps"
)

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

// pages holds every page in every state a customer can meet, by a name that says which.
func pages() map[string]templ.Component {
	all := map[string]templ.Component{}
	for _, s := range []views.OrderState{
		views.StateOpen, views.StatePaid, views.StateProcessing, views.StateExpired,
		views.StateCancelled, views.StateFailed, views.StateMismatch,
	} {
		all["order-"+string(s)] = views.OrderPage(order(s))
		all["return-"+string(s)] = views.ReturnPage(returned(s, views.OutcomeByState))
	}
	all["return-needs-you"] = views.ReturnPage(returned(views.StateOpen, views.OutcomeNeedsYou))
	all["return-checking"] = views.ReturnPage(returned(views.StateOpen, views.OutcomeChecking))
	all["order-declined"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.DeclineHint = "Your bank says there is not enough money on this card. Use another card."
	}))
	all["order-no-cards"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.SavedCards, v.Sandbox = nil, true
		v.Tenant.LogoURL = "/pay/tok/logo"
		v.Lines, v.Totals = v.Lines[:1], views.Totals{Subtotal: "£12.00", VATLabel: "VAT 20 %", VAT: "£2.40", Total: "£14.40"}
	}))
	all["order-save"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) { v.OfferSave = true }))
	all["order-save-first"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) { v.OfferSave, v.SavedCards = true, nil }))
	all["order-refused"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.OfferSave, v.SavedCards[0].Refused = true, true
		v.DeclineHint = "Your bank says there is not enough money on this card. Nothing was taken. Use another card."
	}))
	all["order-confirm"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) { v.NeedsCustomer = true }))
	for _, s := range []views.OrderState{views.StateOpen, views.StatePaid, views.StateProcessing, views.StateCancelled} {
		all["order-no-way-back-"+string(s)] = views.OrderPage(with(order(s), func(v *views.OrderView) {
			v.CancelURL, v.ContinueURL = "", ""
			if s == views.StateCancelled {
				v.PayURL = ""
			}
		}))
		all["return-no-way-back-"+string(s)] = views.ReturnPage(with(returned(s, ""), func(v *views.ReturnView) {
			v.CancelURL, v.ContinueURL, v.RefreshSeconds = "", "", 0
			if s == views.StateCancelled {
				v.RetryURL = ""
			}
		}))
	}
	for name, v := range setups() {
		all["return-setup-"+name] = views.ReturnPage(v)
	}
	all["account"] = views.AccountPage(account())
	all["account-empty"] = views.AccountPage(views.AccountView{Frame: frame(), BackURL: "https://portal.example/", ExpiresAt: "20:15 GMT"})
	all["account-bare"] = views.AccountPage(views.AccountView{})
	all["account-hostile"] = views.AccountPage(hostileAccount())
	all["account-rtl"] = views.AccountPage(with(account(), func(v *views.AccountView) {
		v.Lang, v.Dir, v.Tenant.Name, v.Cards[1].Label = "he", "rtl", "אקמה טלקום", hebrew
	}))
	for _, n := range notices() {
		all["account-"+string(n)] = views.AccountPage(with(account(), func(v *views.AccountView) { v.Notice = n }))
	}
	all["account-expired"] = views.AccountExpiredPage(views.AccountExpiredView{Frame: frame(), BackURL: "https://portal.example/"})
	all["account-expired-bare"] = views.AccountExpiredPage(views.AccountExpiredView{})
	all["order-setup"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.Setup, v.Lines, v.SavedCards = true, nil, nil
	}))
	all["order-free"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.Free, v.Totals = true, views.Totals{Total: "£0.00", Explanation: "The voucher covers everything."}
	}))
	all["order-hundred"] = views.OrderPage(hundredLines())
	all["order-hostile"] = views.OrderPage(hostileOrder())
	all["order-rtl"] = views.OrderPage(with(order(views.StateOpen), func(v *views.OrderView) {
		v.Lang, v.Dir = "he", "rtl"
		v.Tenant.Name, v.FeatureName = "אקמה טלקום", hebrew
		v.Lines[0].Title = hebrew
	}))
	all["order-bare"] = views.OrderPage(views.OrderView{State: views.StateOpen, PayURL: "/pay/tok", Totals: views.Totals{Total: "£1.00"}})
	all["receipt"] = views.ReceiptPage(receipt())
	all["receipt-no-way-back"] = views.ReceiptPage(with(receipt(), func(v *views.ReceiptView) { v.ContinueURL = "" }))
	all["receipt-refunded"] = views.ReceiptPage(with(receipt(), func(v *views.ReceiptView) {
		v.Refunds = []views.Refund{{At: "24 November 2026", Amount: "£5.00"}, {At: "25 November 2026", Amount: "£3.00", Status: "on its way to your card"}}
		v.Refunded, v.NetPaid = "£8.00", "£20.80"
	}))
	all["receipt-minimal"] = views.ReceiptPage(with(receipt(), func(v *views.ReceiptView) { v.Minimal = true }))
	for _, status := range []int{400, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503} {
		all[fmt.Sprintf("error-%d", status)] = views.ErrorPage(views.ErrorView{
			Frame: frame(), Status: status, RequestID: "req_7f3a91", RetryURL: "/pay/tok", BackURL: "/pay/tok/cancel",
		})
	}
	all["error-bare"] = views.ErrorPage(views.ErrorView{Status: 418})
	all["home"] = views.HomePage(views.HomeView{Host: "Acme Telecom"})
	all["home-sandbox"] = views.HomePage(home())
	return all
}

func hundredLines() views.OrderView {
	v := order(views.StateOpen)
	v.Lines = nil
	for i := range 100 {
		v.Lines = append(v.Lines, views.Line{
			Title:       fmt.Sprintf("Number 020 7946 %04d", i),
			Information: []string{"Geographic number, London"},
			Quantity:    fmt.Sprintf("%d × £1.00", i+1),
			Amount:      fmt.Sprintf("£%d.00", i+1),
			Explanation: fmt.Sprintf("%d × (£0.00 set-up + £1.00 × 1 month) = £%d.00", i+1, i+1),
		})
	}
	v.Totals = views.Totals{Subtotal: "£5,050.00", VATLabel: "VAT 20 %", VAT: "£1,010.00", Total: "£6,060.00"}
	return v
}

func hostileOrder() views.OrderView {
	v := order(views.StateOpen)
	long := strings.Repeat("Unlimited calls and data everywhere in Europe and beyond ", 4)
	v.Tenant.Name = "Acme " + bidi + " Telecommunications and Associates (Holdings) Ltd " + hostile
	v.Tenant.SupportEmail = "help@acme.example?bcc=evil@example.com"
	v.FeatureName, v.ContentID, v.CustomerName, v.CustomerEmail = hostile, hostile, hostile, bidi
	v.AfterToday = []string{hostile}
	v.SavedCards[1].Label, v.SavedCards[1].ID = hostile, `"><script>`
	v.ExpiresAt, v.DeclineHint = hostile, hostile
	v.Lines = []views.Line{
		{Title: hostile, Information: []string{hostile}, Quantity: hostile, Amount: "£1.00", VAT: hostile, Explanation: hostile},
		{Title: bidi, Information: []string{bidi}, Amount: "£2.00", Explanation: bidi},
		{Title: hebrew, Information: []string{hebrew}, Amount: "£3.00", Explanation: "1 × £3.00 = £3.00"},
		{Title: long, Information: []string{long, long}, Quantity: "1 × £123,456.78", Amount: "£123,456.78"},
		{Title: strings.Repeat("Donaudampfschifffahrt", 12), Amount: "£4.00"},
		{Title: "Z" + strings.Repeat("\u0335\u0321\u0315", 60) + "algo", Amount: "£5.00"},
	}
	return v
}
