/* Options:
Version: 0
Tip: To override an option, remove the // prefix before updating
BaseUrl: https://pay.example.com

//AddDescriptionAsComments: True
*/

using System;
using System.Collections.Generic;
using ServiceStack;
using PortaPlus2.Common.Models;
using PortaPlus2.API.Web.Dto;

namespace PortaPlus2.Common.Models
{
    /// <summary>A postal address.</summary>
    public partial class CustomerAddress
    {
        public virtual string Address1 { get; set; }
        public virtual string Address2 { get; set; }
        public virtual string Address3 { get; set; }
        public virtual string Address4 { get; set; }
        public virtual string City { get; set; }
        public virtual string Region { get; set; }
        public virtual string Postcode { get; set; }
        /// <summary>Two letters of ISO 3166; anything else is not passed on.</summary>
        public virtual string Country { get; set; }
        public virtual string Town { get; set; }
    }

    /// <summary>How to reach the customer.</summary>
    public partial class CustomerContact
    {
        /// <summary>Filled in for the customer on Stripe's page.</summary>
        public virtual string Email { get; set; }
        public virtual string BCC { get; set; }
        public virtual string EmailFrom { get; set; }
        public virtual string Phone1 { get; set; }
        public virtual string Phone2 { get; set; }
        public virtual string Contact1 { get; set; }
        public virtual string Contact2 { get; set; }
        public virtual string Fax { get; set; }
    }

    /// <summary>A PortaBilling service feature with its attributes.</summary>
    public partial class PortaServiceFeature
    {
        public virtual string Name { get; set; }
        /// <summary>The feature's flag as PortaBilling has it.</summary>
        public virtual string FlagValue { get; set; }
        public virtual Dictionary<string, string[]> ServiceAttributes { get; set; }
    }

    /// <summary>The portal's view of the account, in units of ISO4217.</summary>
    public partial class CustomerStatus
    {
        /// <summary>A claim: kept as received, never used.</summary>
        public virtual decimal OpeningBalance { get; set; }
        /// <summary>A claim: kept as received, never used.</summary>
        public virtual decimal Balance { get; set; }
        /// <summary>A claim: kept as received, never used.</summary>
        public virtual decimal CreditLimit { get; set; }
        /// <summary>A claim: kept as received, never used.</summary>
        public virtual decimal DiscountRate { get; set; }
        /// <summary>The features that are switched on for the customer.</summary>
        public virtual List<PortaServiceFeature> ServiceFeatures { get; set; }
        public virtual string BillStatus { get; set; }
        public virtual string BilledTo { get; set; }
        public virtual string CreditLimitWarning { get; set; }
        /// <summary>The currency of the account.</summary>
        public virtual string ISO4217 { get; set; }
    }

    /// <summary>PortaBilling's dialling rule, under its own abbreviations.</summary>
    public partial class DiallingRule
    {
        public virtual string CC { get; set; }
        public virtual string AC { get; set; }
        public virtual int IA { get; set; }
        public virtual string OP { get; set; }
        public virtual string DP { get; set; }
        public virtual string IP { get; set; }
        public virtual string EM { get; set; }
        public virtual string EX { get; set; }
        public virtual int NL { get; set; }
        public virtual int CT { get; set; }
        public virtual int CS { get; set; }
        public virtual int CSDR { get; set; }
        public virtual int CSS { get; set; }
        public virtual string CSP { get; set; }
        public virtual string CSPS { get; set; }
        public virtual string CSL { get; set; }
        public virtual string NEX { get; set; }
    }

    /// <summary>The customer's display and dialling settings.</summary>
    public partial class Preferences
    {
        public virtual string SendStatistics { get; set; }
        public virtual int MaxAbbreviatedLength { get; set; }
        public virtual string OutDateFormat { get; set; }
        public virtual string OutDateTimeFormat { get; set; }
        public virtual string OutTimeFormat { get; set; }
        public virtual string InDateFormat { get; set; }
        public virtual string InTimeFormat { get; set; }
        /// <summary>How the customer's numbers are written and dialled.</summary>
        public virtual DiallingRule DiallingRule { get; set; }
        public virtual int IMoh { get; set; }
        public virtual string SendInvoices { get; set; }
        public virtual int ITimeZone { get; set; }
        public virtual int IUITimeZone { get; set; }
        public virtual int CustomerType { get; set; }
        public virtual int IVDPlan { get; set; }
        public virtual string CldTranslationRule { get; set; }
        public virtual string MapSendInvoices { get; set; }
        public virtual string MapSendStatistics { get; set; }
    }

    /// <summary>Who the customer is.</summary>
    public partial class PersonalInformation
    {
        public virtual string FirstName { get; set; }
        public virtual string MiddleInitials { get; set; }
        public virtual string LastName { get; set; }
        public virtual string Salutation { get; set; }
        /// <summary>Shown where there is no name.</summary>
        public virtual string Company { get; set; }
        public virtual string Login { get; set; }
        /// <summary>Read because portals send it, and dropped at once: never stored, never logged.</summary>
        public virtual string Password { get; set; }
        /// <summary>The full name; wins over its parts.</summary>
        public virtual string Name { get; set; }
        /// <summary>Kept as received.</summary>
        public virtual string TaxId { get; set; }
        public virtual int IMoh { get; set; }
    }

    /// <summary>The customer's record as the portal knows it. Balances and limits are kept as claims and never used as truth.</summary>
    public partial class PortaCustomer
    {
        /// <summary>The customer's address.</summary>
        public virtual CustomerAddress CustomerAddress { get; set; }
        /// <summary>How to reach the customer.</summary>
        public virtual CustomerContact CustomerContact { get; set; }
        /// <summary>The portal's view of the account.</summary>
        public virtual CustomerStatus CustomerStatus { get; set; }
        /// <summary>Kept as received.</summary>
        public virtual Preferences Preferences { get; set; }
        /// <summary>Who the customer is.</summary>
        public virtual PersonalInformation PersonalInformation { get; set; }
        /// <summary>PortaBilling's number of the customer; must agree with the request's when both are above 0.</summary>
        public virtual int ICustomer { get; set; }
        /// <summary>0, or the tenant's own number in PortaBilling.</summary>
        public virtual int IParent { get; set; }
        /// <summary>Free text; kept, not shown to the customer.</summary>
        public virtual string Notes { get; set; }
    }

    /// <summary>A line of the cart: Quantity × (SetupFee + MonthlyFee × AdvancePeriod) + TransactionCharge − VoucherCredit.</summary>
    public partial class ShoppingItem
    {
        /// <summary>What it is, as the customer reads it.</summary>
        public virtual string Title { get; set; }
        /// <summary>How many; at least 1.</summary>
        public virtual int Quantity { get; set; }
        /// <summary>The fee of one month, for each; no more decimals than the currency has.</summary>
        public virtual decimal MonthlyFee { get; set; }
        /// <summary>The fee paid once, for each.</summary>
        public virtual decimal SetupFee { get; set; }
        /// <summary>Orders the lines on the page.</summary>
        public virtual int DisplayIndex { get; set; }
        /// <summary>The portal's key of the line, unique in the cart; comes back in Lines.</summary>
        public virtual string Key { get; set; }
        /// <summary>Lines of text shown under the title.</summary>
        public virtual List<string> AdditionalInformation { get; set; }
        /// <summary>The portal's part number; kept with the payment at Stripe.</summary>
        public virtual int PartId { get; set; }
        /// <summary>true: the tenant's VAT rate applies to the line.</summary>
        public virtual bool VatApplicable { get; set; }
        /// <summary>ISO 4217, the same for all items; empty: the tenant's default.</summary>
        public virtual string Currency { get; set; }
        /// <summary>Added to the line once.</summary>
        public virtual decimal TransactionCharge { get; set; }
        /// <summary>Taken off the line; the line never falls below 0.</summary>
        public virtual decimal VoucherCredit { get; set; }
        /// <summary>How many months are paid now.</summary>
        public virtual int AdvancePeriod { get; set; }
        /// <summary>When not 0: what the portal holds the line to be before VAT; another amount is refused.</summary>
        public virtual decimal ItemSubTotal { get; set; }
    }
}

namespace PortaPlus2.API.Web.Dto
{
    /// <summary>What every request carries.</summary>
    public partial class RequestBase
    {
        /// <summary>The tenant's secret licence key, here or as Authorization: Bearer. Never in an address, never in a browser.</summary>
        public virtual string License { get; set; }
        /// <summary>What in the portal the payment is for; comes back in the response.</summary>
        public virtual int ContentId { get; set; }
        /// <summary>The part of the portal the payment is for; comes back in the response.</summary>
        public virtual string FeatureName { get; set; }
    }

    /// <summary>A saved card of the customer.</summary>
    public partial class Card
    {
        /// <summary>What to send as StripeSourceId.</summary>
        public virtual string StripeSourceId { get; set; }
        /// <summary>As Stripe calls it, such as visa.</summary>
        public virtual string Brand { get; set; }
        /// <summary>The last four digits.</summary>
        public virtual string Last4 { get; set; }
        /// <summary>1 to 12.</summary>
        public virtual int ExpMonth { get; set; }
        /// <summary>Four digits.</summary>
        public virtual int ExpYear { get; set; }
        /// <summary>true: the customer's usual card.</summary>
        public virtual bool IsDefault { get; set; }
        /// <summary>The label; without one, what the card is.</summary>
        public virtual string CardInfo { get; set; }
    }

    /// <summary>A priced line of the cart, in units of the response's Currency.</summary>
    public partial class Line
    {
        /// <summary>The item's Key.</summary>
        public virtual string Key { get; set; }
        /// <summary>The item's Title.</summary>
        public virtual string Title { get; set; }
        /// <summary>The item's Quantity.</summary>
        public virtual int Quantity { get; set; }
        /// <summary>The line before VAT.</summary>
        public virtual decimal SubTotal { get; set; }
        /// <summary>The VAT of the line.</summary>
        public virtual decimal Vat { get; set; }
        /// <summary>SubTotal and Vat.</summary>
        public virtual decimal Total { get; set; }
        /// <summary>The arithmetic in words and numbers.</summary>
        public virtual string Explanation { get; set; }
    }

    /// <summary>What became of a StripePaymentRequest.</summary>
    public partial class StripePaymentResponse : IHasResponseStatus
    {
        /// <summary>true: the request was carried out. Whether money came is what Status says.</summary>
        public virtual bool Success { get; set; }
        /// <summary>open: Url waits to be paid; processing: a bank debit is on its way; paid; requires_action: the bank wants the customer at Url, and nothing was taken; declined: it failed for good; saved, deleted, listed: of cards.</summary>
        public virtual string Status { get; set; }
        /// <summary>The order (ord_…).</summary>
        public virtual string OrderId { get; set; }
        /// <summary>Where to send the customer's browser: the order's page or, for a list of cards, the customer's own. Empty when nobody is needed.</summary>
        public virtual string Url { get; set; }
        /// <summary>Stripe's Checkout session, once there is one.</summary>
        public virtual string SessionId { get; set; }
        /// <summary>Stripe's payment intent, once there is one.</summary>
        public virtual string PaymentIntentId { get; set; }
        /// <summary>Until when Url is good: ISO 8601, UTC.</summary>
        public virtual string ExpiresAt { get; set; }
        /// <summary>Whose payment it is.</summary>
        public virtual int ICustomer { get; set; }
        /// <summary>The Stripe customer (cus_…).</summary>
        public virtual string CustomerId { get; set; }
        /// <summary>What was charged or saved, such as visa •••• 4242 exp 12/2030.</summary>
        public virtual string CardInfo { get; set; }
        /// <summary>The customer's saved cards, newest first, when the request was about them.</summary>
        public virtual List<Card> Cards { get; set; }
        /// <summary>The total, in units of Currency.</summary>
        public virtual decimal Amount { get; set; }
        /// <summary>ISO 4217.</summary>
        public virtual string Currency { get; set; }
        /// <summary>The cart as it was priced.</summary>
        public virtual List<Line> Lines { get; set; }
        /// <summary>The receipt, once paid.</summary>
        public virtual string ReceiptUrl { get; set; }
        /// <summary>true: the same request was carried out before, and this is what became of it.</summary>
        public virtual bool Replayed { get; set; }
        /// <summary>As in the request.</summary>
        public virtual int ContentId { get; set; }
        /// <summary>As in the request.</summary>
        public virtual string FeatureName { get; set; }
        /// <summary>Set when something went wrong.</summary>
        public virtual ResponseStatus ResponseStatus { get; set; }
    }

    /// <summary>What a portal sends: a customer, a cart or a card, and where the customer's browser returns to.</summary>
    [Route("/ChargeStripeCustomerCard", "POST")]
    public partial class StripePaymentRequest : RequestBase, IReturn<StripePaymentResponse>
    {
        /// <summary>The customer's record; creates or updates the till's.</summary>
        public virtual PortaCustomer Customer { get; set; }
        /// <summary>Something that works once: a Stripe.js token (tok_…, pm_…, src_…) of a card to save or, with a cart, to charge; or a portal's signed pass for a browser (pt1.…).</summary>
        public virtual string apiSingleUseToken { get; set; }
        /// <summary>Whose payment this is. Required for anything that takes money or touches cards; Customer.ICustomer must agree.</summary>
        public virtual int ICustomer { get; set; }
        /// <summary>A saved card to charge or to delete: pm_…, or legacy card_… or src_….</summary>
        public virtual string StripeSourceId { get; set; }
        /// <summary>The cart, at most 100 items in one currency.</summary>
        public virtual List<ShoppingItem> ShoppingInformation { get; set; }
        /// <summary>true: list the customer's saved cards; with SuccessUrl, also make a link to the customer's own page.</summary>
        public virtual bool GetCustomerCardInformation { get; set; }
        /// <summary>The Stripe customer (cus_…), optional; must be the one the till holds for this customer.</summary>
        public virtual string CustomerId { get; set; }
        /// <summary>A label for the card that a token is saved as, at most 100 characters.</summary>
        public virtual string CardInfo { get; set; }
        /// <summary>true: delete the saved card StripeSourceId.</summary>
        public virtual bool IsDelete { get; set; }
        /// <summary>Where the customer's browser ends after paying: https, on one of the tenant's allowed origins.</summary>
        public virtual string SuccessUrl { get; set; }
        /// <summary>Where the customer's browser ends without paying: https, on one of the tenant's allowed origins.</summary>
        public virtual string CancelUrl { get; set; }
        /// <summary>Stripe payment method types, comma-separated (card, bacs_debit, sepa_debit …); empty: Stripe chooses.</summary>
        public virtual string PaymentMethod { get; set; }
    }
}
