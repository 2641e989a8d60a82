package wire

import "log/slog"

// Namespaces of the original's data contracts, as the public pages of 7el.co show them in XML. The tag `wire` of the
// blank field gives a type its XML name and, after the comma, the key of its namespace in namespaces.
const (
	nsDTO    = "http://schemas.datacontract.org/2004/07/PortaPlus2.API.Web.Dto"
	nsCommon = "http://schemas.datacontract.org/2004/07/PortaPlus2.Common.Models"
	nsTypes  = "http://schemas.servicestack.net/types"
	nsArrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
	nsXSI    = "http://www.w3.org/2001/XMLSchema-instance"
)

var namespaces = map[string]string{"dto": nsDTO, "common": nsCommon, "types": nsTypes}

// Go names are the wire's names wherever Go allows it, so that nobody has to translate; the order is the wire's order.
// Tag options:
//
//	once    a second value for the member is refused (all that decides about money: safety JS-01); other members
//	        follow the original: the last one wins, in XML the first
//	base    the member belongs to the original's base class, which XML writes first
//	secret  left out of Digest

// StripePaymentRequest is what a portal sends. What its members mean is said in the product's documentation; here they
// are only read and written. Money is Decimal, every other number a 32-bit int.
type StripePaymentRequest struct {
	_ struct{} `wire:"StripePaymentRequest,dto"`

	Customer                   *Customer      `wire:",once"`
	ApiSingleUseToken          String         `wire:"apiSingleUseToken,once"`
	ICustomer                  int32          `wire:",once"`
	StripeSourceId             String         `wire:",once"`
	ShoppingInformation        []ShoppingItem `wire:",once"`
	GetCustomerCardInformation bool           `wire:",once"`
	CustomerId                 String         `wire:",once"`
	CardInfo                   String
	IsDelete                   bool   `wire:",once"`
	SuccessUrl                 String `wire:",once"`
	CancelUrl                  String `wire:",once"`
	PaymentMethod              String `wire:",once"`
	License                    String `wire:",base,secret"`
	ContentId                  int32  `wire:",base"`
	FeatureName                String `wire:",base"`
}

// DropPassword forgets the customer's password, which portals send and nobody here may keep.
func (r *StripePaymentRequest) DropPassword() {
	if r.Customer != nil && r.Customer.PersonalInformation != nil {
		r.Customer.PersonalInformation.Password = String{}
	}
}

// LogValue keeps a request that is handed to a logger by mistake from being written with its secrets and personal data.
func (r StripePaymentRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("ICustomer", int(r.ICustomer)), slog.Int("items", len(r.ShoppingInformation)))
}

// Customer is the customer's record as the portal knows it: claims, not truth.
type Customer struct {
	_ struct{} `wire:"PortaCustomer,common"`

	CustomerAddress     *CustomerAddress
	CustomerContact     *CustomerContact
	CustomerStatus      *CustomerStatus `wire:",once"`
	Preferences         *Preferences
	PersonalInformation *PersonalInformation
	ICustomer           int32 `wire:",once"`
	IParent             int32 `wire:",once"`
	Notes               String
}

// CustomerAddress is a postal address.
type CustomerAddress struct {
	_ struct{} `wire:"CustomerAddress,common"`

	Address1, Address2, Address3, Address4 String
	City, Region, Postcode, Country, Town  String
}

// CustomerContact says how to reach the customer.
type CustomerContact struct {
	_ struct{} `wire:"CustomerContact,common"`

	Email, BCC, EmailFrom, Phone1, Phone2, Contact1, Contact2, Fax String
}

// CustomerStatus is the portal's view of the account; amounts in units of ISO4217.
type CustomerStatus struct {
	_ struct{} `wire:"CustomerStatus,common"`

	OpeningBalance     Decimal          `wire:",once"`
	Balance            Decimal          `wire:",once"`
	CreditLimit        Decimal          `wire:",once"`
	DiscountRate       Decimal          `wire:",once"`
	ServiceFeatures    []ServiceFeature `wire:",once"`
	BillStatus         String
	BilledTo           String
	CreditLimitWarning String
	ISO4217            String `wire:",once"`
}

// ServiceFeature is a PortaBilling service feature with its attributes.
type ServiceFeature struct {
	_ struct{} `wire:"PortaServiceFeature,common"`

	Name              String
	FlagValue         String
	ServiceAttributes Attributes
}

// Preferences are the customer's display and dialling settings.
type Preferences struct {
	_ struct{} `wire:"Preferences,common"`

	SendStatistics       String
	MaxAbbreviatedLength int32
	OutDateFormat        String
	OutDateTimeFormat    String
	OutTimeFormat        String
	InDateFormat         String
	InTimeFormat         String
	DiallingRule         *DiallingRule
	IMoh                 int32
	SendInvoices         String
	ITimeZone            int32
	IUITimeZone          int32
	CustomerType         int32
	IVDPlan              int32
	CldTranslationRule   String
	MapSendInvoices      String
	MapSendStatistics    String
}

// DiallingRule is PortaBilling's dialling rule, under its own abbreviations.
type DiallingRule struct {
	_ struct{} `wire:"DiallingRule,common"`

	CC, AC             String
	IA                 int32
	OP, DP, IP, EM, EX String
	NL, CT, CS         int32
	CSDR, CSS          int32
	CSP, CSPS, CSL     String
	NEX                String
}

// PersonalInformation names the customer. Password is read because portals send it and must be dropped at once.
type PersonalInformation struct {
	_ struct{} `wire:"PersonalInformation,common"`

	FirstName, MiddleInitials, LastName, Salutation, Company, Login String

	Password String `wire:",secret"`
	Name     String
	TaxId    String
	IMoh     int32
}

// ShoppingItem is a line of the cart. The element name is our choice; the original's is not public (wire.md 2.5), so
// any is accepted.
type ShoppingItem struct {
	_ struct{} `wire:"ShoppingItem,common"`

	Title                 String   `wire:",once"`
	Quantity              int32    `wire:",once"`
	MonthlyFee            Decimal  `wire:",once"`
	SetupFee              Decimal  `wire:",once"`
	DisplayIndex          int32    `wire:",once"`
	Key                   String   `wire:",once"`
	AdditionalInformation []String `wire:",once"`
	PartId                int32    `wire:",once"`
	VatApplicable         bool     `wire:",once"`
	Currency              String   `wire:",once"`
	TransactionCharge     Decimal  `wire:",once"`
	VoucherCredit         Decimal  `wire:",once"`
	AdvancePeriod         int32    `wire:",once"`
	ItemSubTotal          Decimal  `wire:",once"`
}

// Attributes is a dictionary from a name to several values. It is a list because the wire keeps the order in which the
// entries were added; names are unique once decoded.
type Attributes []Attribute

// Attribute is an entry of Attributes.
type Attribute struct {
	Name   string
	Values []String
}

// Get gives the values of a name, nil when there is none.
func (a Attributes) Get(name string) []String {
	for i := range a {
		if a[i].Name == name {
			return a[i].Values
		}
	}
	return nil
}
