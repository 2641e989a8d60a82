/* Options:
Version: 0
Tip: To override an option, remove the // prefix before updating
BaseUrl: https://pay.example.com

//GlobalNamespace: 
//AddDescriptionAsComments: True
*/

export interface IReturn<T> {
    createResponse(): T;
}

/** What every request carries. */
export interface RequestBase {
    /** The tenant's secret licence key, here or as Authorization: Bearer. Never in an address, never in a browser. */
    License?: string;
    /** What in the portal the payment is for; comes back in the response. */
    ContentId?: number;
    /** The part of the portal the payment is for; comes back in the response. */
    FeatureName?: string;
}

/** A saved card of the customer. */
export interface Card {
    /** What to send as StripeSourceId. */
    StripeSourceId?: string;
    /** As Stripe calls it, such as visa. */
    Brand?: string;
    /** The last four digits. */
    Last4?: string;
    /** 1 to 12. */
    ExpMonth?: number;
    /** Four digits. */
    ExpYear?: number;
    /** true: the customer's usual card. */
    IsDefault?: boolean;
    /** The label; without one, what the card is. */
    CardInfo?: string;
}

/** A priced line of the cart, in units of the response's Currency. */
export interface Line {
    /** The item's Key. */
    Key?: string;
    /** The item's Title. */
    Title?: string;
    /** The item's Quantity. */
    Quantity?: number;
    /** The line before VAT. */
    SubTotal?: number;
    /** The VAT of the line. */
    Vat?: number;
    /** SubTotal and Vat. */
    Total?: number;
    /** The arithmetic in words and numbers. */
    Explanation?: string;
}

/** What is wrong with one field. */
export interface ResponseError {
    /** One word for programs. */
    ErrorCode?: string;
    /** The path of the field, such as ShoppingInformation[0].Quantity. */
    FieldName?: string;
    /** A sentence for people. */
    Message?: string;
    /** Facts for programs. */
    Meta?: { [index: string]: string };
}

/** What went wrong. */
export interface ResponseStatus {
    /** One word for programs; the list is under Errors. */
    ErrorCode?: string;
    /** A sentence for people. */
    Message?: string;
    /** Never set; clients of the original know it. */
    StackTrace?: string;
    /** The fields at fault. */
    Errors?: ResponseError[];
    /** Facts for programs, such as Stripe's decline_code. */
    Meta?: { [index: string]: string };
}

/** What became of a StripePaymentRequest. */
export interface StripePaymentResponse {
    /** true: the request was carried out. Whether money came is what Status says. */
    Success?: boolean;
    /** open: Url waits to be paid; processing: a bank debit is on its way; paid; requires_action: the bank wants the customer at Url, and nothing was taken; declined: it failed for good; saved, deleted, listed: of cards. */
    Status?: string;
    /** The order (ord_…). */
    OrderId?: string;
    /** Where to send the customer's browser: the order's page or, for a list of cards, the customer's own. Empty when nobody is needed. */
    Url?: string;
    /** Stripe's Checkout session, once there is one. */
    SessionId?: string;
    /** Stripe's payment intent, once there is one. */
    PaymentIntentId?: string;
    /** Until when Url is good: ISO 8601, UTC. */
    ExpiresAt?: string;
    /** Whose payment it is. */
    ICustomer?: number;
    /** The Stripe customer (cus_…). */
    CustomerId?: string;
    /** What was charged or saved, such as visa •••• 4242 exp 12/2030. */
    CardInfo?: string;
    /** The customer's saved cards, newest first, when the request was about them. */
    Cards?: Card[];
    /** The total, in units of Currency. */
    Amount?: number;
    /** ISO 4217. */
    Currency?: string;
    /** The cart as it was priced. */
    Lines?: Line[];
    /** The receipt, once paid. */
    ReceiptUrl?: string;
    /** true: the same request was carried out before, and this is what became of it. */
    Replayed?: boolean;
    /** As in the request. */
    ContentId?: number;
    /** As in the request. */
    FeatureName?: string;
    /** Set when something went wrong. */
    ResponseStatus?: ResponseStatus;
}

/** A postal address. */
export interface CustomerAddress {
    Address1?: string;
    Address2?: string;
    Address3?: string;
    Address4?: string;
    City?: string;
    Region?: string;
    Postcode?: string;
    /** Two letters of ISO 3166; anything else is not passed on. */
    Country?: string;
    Town?: string;
}

/** How to reach the customer. */
export interface CustomerContact {
    /** Filled in for the customer on Stripe's page. */
    Email?: string;
    BCC?: string;
    EmailFrom?: string;
    Phone1?: string;
    Phone2?: string;
    Contact1?: string;
    Contact2?: string;
    Fax?: string;
}

/** A PortaBilling service feature with its attributes. */
export interface PortaServiceFeature {
    Name?: string;
    /** The feature's flag as PortaBilling has it. */
    FlagValue?: string;
    ServiceAttributes?: { [index: string]: string[] };
}

/** The portal's view of the account, in units of ISO4217. */
export interface CustomerStatus {
    /** A claim: kept as received, never used. */
    OpeningBalance?: number | string;
    /** A claim: kept as received, never used. */
    Balance?: number | string;
    /** A claim: kept as received, never used. */
    CreditLimit?: number | string;
    /** A claim: kept as received, never used. */
    DiscountRate?: number | string;
    /** The features that are switched on for the customer. */
    ServiceFeatures?: PortaServiceFeature[];
    BillStatus?: string;
    BilledTo?: string;
    CreditLimitWarning?: string;
    /** The currency of the account. */
    ISO4217?: string;
}

/** PortaBilling's dialling rule, under its own abbreviations. */
export interface DiallingRule {
    CC?: string;
    AC?: string;
    IA?: number;
    OP?: string;
    DP?: string;
    IP?: string;
    EM?: string;
    EX?: string;
    NL?: number;
    CT?: number;
    CS?: number;
    CSDR?: number;
    CSS?: number;
    CSP?: string;
    CSPS?: string;
    CSL?: string;
    NEX?: string;
}

/** The customer's display and dialling settings. */
export interface Preferences {
    SendStatistics?: string;
    MaxAbbreviatedLength?: number;
    OutDateFormat?: string;
    OutDateTimeFormat?: string;
    OutTimeFormat?: string;
    InDateFormat?: string;
    InTimeFormat?: string;
    /** How the customer's numbers are written and dialled. */
    DiallingRule?: DiallingRule;
    IMoh?: number;
    SendInvoices?: string;
    ITimeZone?: number;
    IUITimeZone?: number;
    CustomerType?: number;
    IVDPlan?: number;
    CldTranslationRule?: string;
    MapSendInvoices?: string;
    MapSendStatistics?: string;
}

/** Who the customer is. */
export interface PersonalInformation {
    FirstName?: string;
    MiddleInitials?: string;
    LastName?: string;
    Salutation?: string;
    /** Shown where there is no name. */
    Company?: string;
    Login?: string;
    /** Read because portals send it, and dropped at once: never stored, never logged. */
    Password?: string;
    /** The full name; wins over its parts. */
    Name?: string;
    /** Kept as received. */
    TaxId?: string;
    IMoh?: number;
}

/** The customer's record as the portal knows it. Balances and limits are kept as claims and never used as truth. */
export interface PortaCustomer {
    /** The customer's address. */
    CustomerAddress?: CustomerAddress;
    /** How to reach the customer. */
    CustomerContact?: CustomerContact;
    /** The portal's view of the account. */
    CustomerStatus?: CustomerStatus;
    /** Kept as received. */
    Preferences?: Preferences;
    /** Who the customer is. */
    PersonalInformation?: PersonalInformation;
    /** PortaBilling's number of the customer; must agree with the request's when both are above 0. */
    ICustomer?: number;
    /** 0, or the tenant's own number in PortaBilling. */
    IParent?: number;
    /** Free text; kept, not shown to the customer. */
    Notes?: string;
}

/** A line of the cart: Quantity × (SetupFee + MonthlyFee × AdvancePeriod) + TransactionCharge − VoucherCredit. */
export interface ShoppingItem {
    /** What it is, as the customer reads it. */
    Title?: string;
    /** How many; at least 1. */
    Quantity?: number;
    /** The fee of one month, for each; no more decimals than the currency has. */
    MonthlyFee?: number | string;
    /** The fee paid once, for each. */
    SetupFee?: number | string;
    /** Orders the lines on the page. */
    DisplayIndex?: number;
    /** The portal's key of the line, unique in the cart; comes back in Lines. */
    Key?: string;
    /** Lines of text shown under the title. */
    AdditionalInformation?: string[];
    /** The portal's part number; kept with the payment at Stripe. */
    PartId?: number;
    /** true: the tenant's VAT rate applies to the line. */
    VatApplicable?: boolean;
    /** ISO 4217, the same for all items; empty: the tenant's default. */
    Currency?: string;
    /** Added to the line once. */
    TransactionCharge?: number | string;
    /** Taken off the line; the line never falls below 0. */
    VoucherCredit?: number | string;
    /** How many months are paid now. */
    AdvancePeriod?: number;
    /** When not 0: what the portal holds the line to be before VAT; another amount is refused. */
    ItemSubTotal?: number | string;
}

/** What a portal sends: a customer, a cart or a card, and where the customer's browser returns to. */
export interface StripePaymentRequest extends RequestBase, Partial<IReturn<StripePaymentResponse>> {
    /** The customer's record; creates or updates the till's. */
    Customer?: PortaCustomer;
    /** Something that works once: a Stripe.js token (tok_…, pm_…, src_…) of a card to save or, with a cart, to charge; or a portal's signed pass for a browser (pt1.…). */
    apiSingleUseToken?: string;
    /** Whose payment this is. Required for anything that takes money or touches cards; Customer.ICustomer must agree. */
    ICustomer?: number;
    /** A saved card to charge or to delete: pm_…, or legacy card_… or src_…. */
    StripeSourceId?: string;
    /** The cart, at most 100 items in one currency. */
    ShoppingInformation?: ShoppingItem[];
    /** true: list the customer's saved cards; with SuccessUrl, also make a link to the customer's own page. */
    GetCustomerCardInformation?: boolean;
    /** The Stripe customer (cus_…), optional; must be the one the till holds for this customer. */
    CustomerId?: string;
    /** A label for the card that a token is saved as, at most 100 characters. */
    CardInfo?: string;
    /** true: delete the saved card StripeSourceId. */
    IsDelete?: boolean;
    /** Where the customer's browser ends after paying: https, on one of the tenant's allowed origins. */
    SuccessUrl?: string;
    /** Where the customer's browser ends without paying: https, on one of the tenant's allowed origins. */
    CancelUrl?: string;
    /** Stripe payment method types, comma-separated (card, bacs_debit, sepa_debit …); empty: Stripe chooses. */
    PaymentMethod?: string;
}
