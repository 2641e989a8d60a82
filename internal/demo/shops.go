package demo

import "github.com/portatill/portatill/pay"

// Shop is a reseller as somebody who sets up a tenant would describe it.
type Shop struct {
	Slug, Name string
	Currency   pay.Currency
	configure  func(*pay.Tenant)
	// Admin and Viewer are the reseller's own people.
	AdminEmail, AdminName   string
	ViewerEmail, ViewerName string

	origin  string // of the portal
	share   int    // of a hundred orders
	opens   int    // days after the beginning
	debit   string // the bank debit that it takes, "" for none
	bankOK  map[string]string
	bankBad map[string]string
	cards   []string // the cards that its customers have
	goods   []goods
	people  []person
	names   names
	towns   []town
	zone    int // hours that its day is ahead of UTC
}

// goods is something a shop sells. Fees are decimal text in its currency.
type goods struct {
	title, key     string
	setup, monthly string
	months         int
	most           int // how many somebody buys at a time
	info           []string
}

// Configure gives the tenant the shop's settings.
func (s *Shop) Configure(t *pay.Tenant) {
	t.ReturnOrigins = []string{s.origin}
	s.configure(t)
}

type town struct{ street, city, postcode, country, phone string }

// Shops are the resellers of the story; the first is the tenant that sandbox mode makes anyway.
var Shops = []Shop{
	{
		Slug: "demo", Name: "Acme Telecom", Currency: "GBP",
		configure: func(t *pay.Tenant) {
			t.Currencies = []pay.Currency{"GBP", "EUR", "USD", "JPY", "KWD"}
			t.VATBasisPoints, t.LoopbackReturns = 2000, true
			t.Branding.AccentColour, t.Branding.SupportEmail = "#0f766e", "help@acme-telecom.example"
		},
		AdminEmail: "grace@acme-telecom.example", AdminName: "Grace Okafor", ViewerEmail: "tom@acme-telecom.example", ViewerName: "Tom Whitfield",
		origin: "https://shop.acme-telecom.example", share: 56, debit: "bacs_debit",
		bankOK:  map[string]string{"sort_code": "10-88-00", "account_number": "00012345"},
		bankBad: map[string]string{"sort_code": "10-88-00", "account_number": "22222227"},
		cards:   []string{"4242424242424242", "4000008260000000", "5555558265554449", "4000058260000005", "378282246310005"},
		goods: []goods{
			{"SIP trunk, 4 channels", "trunk-4", "10.00", "12.00", 3, 2, []string{"Includes 2 London numbers", "Cancel at any month's end"}},
			{"Fibre broadband 150", "fibre-150", "0", "34.50", 1, 1, []string{"Up to 150 Mbit/s, no minimum term"}},
			{"Fibre broadband 900", "fibre-900", "49.00", "52.00", 1, 1, nil},
			{"Yealink T54W desk phone", "phone-t54w", "89.50", "0", 0, 4, []string{"Delivered in 2 working days"}},
			{"Hosted PBX seat", "pbx-seat", "0", "7.90", 12, 8, nil},
			{"International minutes, 1,000", "minutes-1000", "14.00", "0", 0, 3, nil},
			{"Number porting", "port-in", "19.00", "0", 0, 5, nil},
			{"Call recording", "recording", "0", "4.20", 3, 6, nil},
			{"Account top-up", "top-up", "25.00", "0", 0, 4, nil},
		},
		people: peopleOfBritain, names: namesOfBritain, zone: 0,
		towns: []town{{"12 Exchange Street", "Norwich", "NR2 1AT", "GB", "+44 1603 555010"}, {"4 Calton Road", "Edinburgh", "EH8 8DL", "GB", "+44 131 496 0180"},
			{"77 Deansgate", "Manchester", "M3 2BW", "GB", "+44 161 496 0377"}, {"9 Heol y Frenhines", "Caerdydd", "CF10 2AF", "GB", "+44 29 2018 0042"},
			{"31 Lisburn Road", "Belfast", "BT9 7AA", "GB", "+44 28 9018 0716"}},
	},
	{
		Slug: "nordlicht", Name: "Nordlicht Telekom GmbH", Currency: "EUR",
		configure: func(t *pay.Tenant) {
			t.Currencies = []pay.Currency{"EUR", "CHF"}
			t.VATBasisPoints, t.VATMode = 1900, pay.VATInclusive
			t.Branding.DisplayName = "Nordlicht Telekom"
			t.Branding.AccentColour, t.Branding.SupportEmail = "#6d28d9", "hilfe@nordlicht-telekom.example"
		},
		AdminEmail: "jonas@nordlicht-telekom.example", AdminName: "Jonas Petersen", ViewerEmail: "anke@nordlicht-telekom.example", ViewerName: "Anke Weiß",
		origin: "https://portal.nordlicht-telekom.example", share: 30, opens: 12, debit: "sepa_debit",
		bankOK:  map[string]string{"iban": "DE89370400440532013000"},
		bankBad: map[string]string{"iban": "DE97370400440000222227"},
		cards:   []string{"4000002760000016", "4242424242424242", "5555555555554444", "4000002500000003"},
		goods: []goods{
			{"Glasfaser 250", "glas-250", "0", "39.90", 1, 1, []string{"Bis 250 Mbit/s"}},
			{"Glasfaser 1000", "glas-1000", "59.00", "69.90", 1, 1, []string{"Bis 1 Gbit/s", "Router inklusive"}},
			{"SIP-Anschluss, 8 Kanäle", "sip-8", "25.00", "29.00", 3, 2, nil},
			{"Rufnummernblock (10)", "block-10", "12.50", "4.90", 12, 2, nil},
			{"Gigaset DECT-Telefon", "dect", "119.00", "0", 0, 3, nil},
			{"Auslandspaket Europa", "eu-paket", "0", "9.95", 6, 4, nil},
			{"Guthaben", "guthaben", "20.00", "0", 0, 5, nil},
		},
		people: peopleOfEurope, names: namesOfEurope, zone: 2,
		towns: []town{{"Langer Weg 8", "Flensburg", "24937", "DE", "+49 461 5550110"}, {"Hafenstraße 41", "Hamburg", "20359", "DE", "+49 40 5550142"},
			{"Gärtnerplatz 2", "München", "80469", "DE", "+49 89 5550177"}, {"Mariahilfer Straße 101", "Wien", "1060", "AT", "+43 1 5550120"}},
	},
	{
		Slug: "sakura", Name: "さくら通信", Currency: "JPY",
		configure: func(t *pay.Tenant) {
			t.Currencies = []pay.Currency{"JPY", "USD"}
			t.VATBasisPoints, t.VATMode = 1000, pay.VATInclusive
			t.Policies.Review, t.Policies.SaveCard = "direct", "always"
			t.Branding.DisplayName = "さくら通信 Sakura"
			t.Branding.AccentColour, t.Branding.SupportEmail = "#be185d", "support@sakura-tsushin.example"
		},
		AdminEmail: "yui@sakura-tsushin.example", AdminName: "田中 結衣", ViewerEmail: "ren@sakura-tsushin.example", ViewerName: "Ren Mori",
		origin: "https://my.sakura-tsushin.example", share: 14, opens: 40,
		cards: []string{"3566002020360505", "4242424242424242", "5555555555554444"},
		goods: []goods{
			{"光回線 1 Gbps", "hikari-1g", "3300", "5720", 1, 1, []string{"工事費込み"}},
			{"IP 電話 050 番号", "ip050", "0", "550", 6, 3, nil},
			{"国際通話パック 300 分", "intl-300", "2200", "0", 0, 2, nil},
			{"Wi-Fi ルーター", "router", "12800", "0", 0, 2, nil},
			{"チャージ", "charge", "3000", "0", 0, 5, nil},
		},
		people: peopleOfAsia, names: namesOfAsia, zone: 9,
		towns: []town{{"神宮前 1-2-3", "渋谷区", "150-0001", "JP", "+81 3 5550 0142"}, {"烏丸通 88", "京都市", "604-8166", "JP", "+81 75 555 0188"},
			{"大通西 4-6", "札幌市", "060-0042", "JP", "+81 11 555 0160"}},
	},
}
