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
export class RequestBase {
    /** The tenant's secret licence key, here or as Authorization: Bearer. Never in an address, never in a browser. */
    public License?: string;
    /** What in the portal the payment is for; comes back in the response. */
    public ContentId?: number;
    /** The part of the portal the payment is for; comes back in the response. */
    public FeatureName?: string;

    public constructor(init?: Partial<RequestBase>) { Object.assign(this, init); }
}

/** A saved card of the customer. */
export class Card {
    /** What to send as StripeSourceId. */
    public StripeSourceId?: string;
    /** As Stripe calls it, such as visa. */
    public Brand?: string;
    /** The last four digits. */
    public Last4?: string;
    /** 1 to 12. */
    public ExpMonth?: number;
    /** Four digits. */
    public ExpYear?: number;
    /** true: the customer's usual card. */
    public IsDefault?: boolean;
    /** The label; without one, what the card is. */
    public CardInfo?: string;

    public constructor(init?: Partial<Card>) { Object.assign(this, init); }
}

/** A priced line of the cart, in units of the response's Currency. */
export class Line {
    /** The item's Key. */
    public Key?: string;
    /** The item's Title. */
    public Title?: string;
    /** The item's Quantity. */
    public Quantity?: number;
    /** The line before VAT. */
    public SubTotal?: number;
    /** The VAT of the line. */
    public Vat?: number;
    /** SubTotal and Vat. */
    public Total?: number;
    /** The arithmetic in words and numbers. */
    public Explanation?: string;

    public constructor(init?: Partial<Line>) { Object.assign(this, init); }
}

/** What is wrong with one field. */
export class ResponseError {
    /** One word for programs. */
    public ErrorCode?: string;
    /** The path of the field, such as ShoppingInformation[0].Quantity. */
    public FieldName?: string;
    /** A sentence for people. */
    public Message?: string;
    /** Facts for programs. */
    public Meta?: { [index: string]: string };

    public constructor(init?: Partial<ResponseError>) { Object.assign(this, init); }
}

/** What went wrong. */
export class ResponseStatus {
    /** One word for programs; the list is under Errors. */
    public ErrorCode?: string;
    /** A sentence for people. */
    public Message?: string;
    /** Never set; clients of the original know it. */
    public StackTrace?: string;
    /** The fields at fault. */
    public Errors?: ResponseError[];
    /** Facts for programs, such as Stripe's decline_code. */
    public Meta?: { [index: string]: string };

    public constructor(init?: Partial<ResponseStatus>) { Object.assign(this, init); }
}

/** What became of a StripePaymentRequest. */
export class StripePaymentResponse {
    /** true: the request was carried out. Whether money came is what Status says. */
    public Success?: boolean;
    /** open: Url waits to be paid; processing: a bank debit is on its way; paid; requires_action: the bank wants the customer at Url, and nothing was taken; declined: it failed for good; saved, deleted, listed: of cards. */
    public Status?: string;
    /** The order (ord_…). */
    public OrderId?: string;
    /** Where to send the customer's browser: the order's page or, for a list of cards, the customer's own. Empty when nobody is needed. */
    public Url?: string;
    /** Stripe's Checkout session, once there is one. */
    public SessionId?: string;
    /** Stripe's payment intent, once there is one. */
    public PaymentIntentId?: string;
    /** Until when Url is good: ISO 8601, UTC. */
    public ExpiresAt?: string;
    /** Whose payment it is. */
    public ICustomer?: number;
    /** The Stripe customer (cus_…). */
    public CustomerId?: string;
    /** What was charged or saved, such as visa •••• 4242 exp 12/2030. */
    public CardInfo?: string;
    /** The customer's saved cards, newest first, when the request was about them. */
    public Cards?: Card[];
    /** The total, in units of Currency. */
    public Amount?: number;
    /** ISO 4217. */
    public Currency?: string;
    /** The cart as it was priced. */
    public Lines?: Line[];
    /** The receipt, once paid. */
    public ReceiptUrl?: string;
    /** true: the same request was carried out before, and this is what became of it. */
    public Replayed?: boolean;
    /** As in the request. */
    public ContentId?: number;
    /** As in the request. */
    public FeatureName?: string;
    /** Set when something went wrong. */
    public ResponseStatus?: ResponseStatus;

    public constructor(init?: Partial<StripePaymentResponse>) { Object.assign(this, init); }
}

/** A postal address. */
export class CustomerAddress {
    public Address1?: string;
    public Address2?: string;
    public Address3?: string;
    public Address4?: string;
    public City?: string;
    public Region?: string;
    public Postcode?: string;
    /** Two letters of ISO 3166; anything else is not passed on. */
    public Country?: string;
    public Town?: string;

    public constructor(init?: Partial<CustomerAddress>) { Object.assign(this, init); }
}

/** How to reach the customer. */
export class CustomerContact {
    /** Filled in for the customer on Stripe's page. */
    public Email?: string;
    public BCC?: string;
    public EmailFrom?: string;
    public Phone1?: string;
    public Phone2?: string;
    public Contact1?: string;
    public Contact2?: string;
    public Fax?: string;

    public constructor(init?: Partial<CustomerContact>) { Object.assign(this, init); }
}

/** A PortaBilling service feature with its attributes. */
export class PortaServiceFeature {
    public Name?: string;
    /** The feature's flag as PortaBilling has it. */
    public FlagValue?: string;
    public ServiceAttributes?: { [index: string]: string[] };

    public constructor(init?: Partial<PortaServiceFeature>) { Object.assign(this, init); }
}

/** The portal's view of the account, in units of ISO4217. */
export class CustomerStatus {
    /** A claim: kept as received, never used. */
    public OpeningBalance?: number | string;
    /** A claim: kept as received, never used. */
    public Balance?: number | string;
    /** A claim: kept as received, never used. */
    public CreditLimit?: number | string;
    /** A claim: kept as received, never used. */
    public DiscountRate?: number | string;
    /** The features that are switched on for the customer. */
    public ServiceFeatures?: PortaServiceFeature[];
    public BillStatus?: string;
    public BilledTo?: string;
    public CreditLimitWarning?: string;
    /** The currency of the account. */
    public ISO4217?: string;

    public constructor(init?: Partial<CustomerStatus>) { Object.assign(this, init); }
}

/** PortaBilling's dialling rule, under its own abbreviations. */
export class DiallingRule {
    public CC?: string;
    public AC?: string;
    public IA?: number;
    public OP?: string;
    public DP?: string;
    public IP?: string;
    public EM?: string;
    public EX?: string;
    public NL?: number;
    public CT?: number;
    public CS?: number;
    public CSDR?: number;
    public CSS?: number;
    public CSP?: string;
    public CSPS?: string;
    public CSL?: string;
    public NEX?: string;

    public constructor(init?: Partial<DiallingRule>) { Object.assign(this, init); }
}

/** The customer's display and dialling settings. */
export class Preferences {
    public SendStatistics?: string;
    public MaxAbbreviatedLength?: number;
    public OutDateFormat?: string;
    public OutDateTimeFormat?: string;
    public OutTimeFormat?: string;
    public InDateFormat?: string;
    public InTimeFormat?: string;
    /** How the customer's numbers are written and dialled. */
    public DiallingRule?: DiallingRule;
    public IMoh?: number;
    public SendInvoices?: string;
    public ITimeZone?: number;
    public IUITimeZone?: number;
    public CustomerType?: number;
    public IVDPlan?: number;
    public CldTranslationRule?: string;
    public MapSendInvoices?: string;
    public MapSendStatistics?: string;

    public constructor(init?: Partial<Preferences>) { Object.assign(this, init); }
}

/** Who the customer is. */
export class PersonalInformation {
    public FirstName?: string;
    public MiddleInitials?: string;
    public LastName?: string;
    public Salutation?: string;
    /** Shown where there is no name. */
    public Company?: string;
    public Login?: string;
    /** Read because portals send it, and dropped at once: never stored, never logged. */
    public Password?: string;
    /** The full name; wins over its parts. */
    public Name?: string;
    /** Kept as received. */
    public TaxId?: string;
    public IMoh?: number;

    public constructor(init?: Partial<PersonalInformation>) { Object.assign(this, init); }
}

/** The customer's record as the portal knows it. Balances and limits are kept as claims and never used as truth. */
export class PortaCustomer {
    /** The customer's address. */
    public CustomerAddress?: CustomerAddress;
    /** How to reach the customer. */
    public CustomerContact?: CustomerContact;
    /** The portal's view of the account. */
    public CustomerStatus?: CustomerStatus;
    /** Kept as received. */
    public Preferences?: Preferences;
    /** Who the customer is. */
    public PersonalInformation?: PersonalInformation;
    /** PortaBilling's number of the customer; must agree with the request's when both are above 0. */
    public ICustomer?: number;
    /** 0, or the tenant's own number in PortaBilling. */
    public IParent?: number;
    /** Free text; kept, not shown to the customer. */
    public Notes?: string;

    public constructor(init?: Partial<PortaCustomer>) { Object.assign(this, init); }
}

/** A line of the cart: Quantity × (SetupFee + MonthlyFee × AdvancePeriod) + TransactionCharge − VoucherCredit. */
export class ShoppingItem {
    /** What it is, as the customer reads it. */
    public Title?: string;
    /** How many; at least 1. */
    public Quantity?: number;
    /** The fee of one month, for each; no more decimals than the currency has. */
    public MonthlyFee?: number | string;
    /** The fee paid once, for each. */
    public SetupFee?: number | string;
    /** Orders the lines on the page. */
    public DisplayIndex?: number;
    /** The portal's key of the line, unique in the cart; comes back in Lines. */
    public Key?: string;
    /** Lines of text shown under the title. */
    public AdditionalInformation?: string[];
    /** The portal's part number; kept with the payment at Stripe. */
    public PartId?: number;
    /** true: the tenant's VAT rate applies to the line. */
    public VatApplicable?: boolean;
    /** ISO 4217, the same for all items; empty: the tenant's default. */
    public Currency?: string;
    /** Added to the line once. */
    public TransactionCharge?: number | string;
    /** Taken off the line; the line never falls below 0. */
    public VoucherCredit?: number | string;
    /** How many months are paid now. */
    public AdvancePeriod?: number;
    /** When not 0: what the portal holds the line to be before VAT; another amount is refused. */
    public ItemSubTotal?: number | string;

    public constructor(init?: Partial<ShoppingItem>) { Object.assign(this, init); }
}

/** What a portal sends: a customer, a cart or a card, and where the customer's browser returns to. */
// @Route("/ChargeStripeCustomerCard", "POST")
export class StripePaymentRequest extends RequestBase implements IReturn<StripePaymentResponse> {
    /** The customer's record; creates or updates the till's. */
    public Customer?: PortaCustomer;
    /** Something that works once: a Stripe.js token (tok_…, pm_…, src_…) of a card to save or, with a cart, to charge; or a portal's signed pass for a browser (pt1.…). */
    public apiSingleUseToken?: string;
    /** Whose payment this is. Required for anything that takes money or touches cards; Customer.ICustomer must agree. */
    public ICustomer?: number;
    /** A saved card to charge or to delete: pm_…, or legacy card_… or src_…. */
    public StripeSourceId?: string;
    /** The cart, at most 100 items in one currency. */
    public ShoppingInformation?: ShoppingItem[];
    /** true: list the customer's saved cards; with SuccessUrl, also make a link to the customer's own page. */
    public GetCustomerCardInformation?: boolean;
    /** The Stripe customer (cus_…), optional; must be the one the till holds for this customer. */
    public CustomerId?: string;
    /** A label for the card that a token is saved as, at most 100 characters. */
    public CardInfo?: string;
    /** true: delete the saved card StripeSourceId. */
    public IsDelete?: boolean;
    /** Where the customer's browser ends after paying: https, on one of the tenant's allowed origins. */
    public SuccessUrl?: string;
    /** Where the customer's browser ends without paying: https, on one of the tenant's allowed origins. */
    public CancelUrl?: string;
    /** Stripe payment method types, comma-separated (card, bacs_debit, sepa_debit …); empty: Stripe chooses. */
    public PaymentMethod?: string;

    public constructor(init?: Partial<StripePaymentRequest>) { super(init); Object.assign(this, init); }
    public getTypeName() { return 'StripePaymentRequest'; }
    public getMethod() { return 'POST'; }
    public createResponse() { return new StripePaymentResponse(); }
}
