package webhooks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

// TestForgedDeliveriesAreRefusedAndLeaveNoRow is safety.md section 4, webhook-authenticity: the class of what is not
// Stripe's.
func TestForgedDeliveriesAreRefusedAndLeaveNoRow(t *testing.T) {
	t.Parallel()
	body := completed("evt_forged", "cs_test_1")
	at := func(d time.Duration) func(k *till) []string {
		return func(k *till) []string { return []string{sign(body, k.secret(), clockNow.Add(d))} }
	}
	header := func(format string) func(k *till) []string {
		return func(k *till) []string {
			good := sign(body, k.secret(), clockNow)
			_, v1, _ := strings.Cut(good, ",v1=")
			return []string{strings.NewReplacer("GOOD", good, "TIME", fmt.Sprint(clockNow.Unix()), "MAC", v1).Replace(format)}
		}
	}
	cases := []struct {
		name       string
		signatures func(k *till) []string
	}{
		{"WithoutASignature", func(*till) []string { return nil }},
		{"SignedWithAnotherSecret", func(*till) []string { return []string{sign(body, "whsec_another_0123456789abcdef", clockNow)} }},
		{"SignedWithNoSecret", func(*till) []string { return []string{sign(body, "", clockNow)} }},
		{"SignedWithThePrefixOfASecret", func(*till) []string { return []string{sign(body, "whsec_", clockNow)} }},
		{"SignedWithNull", func(*till) []string { return []string{sign(body, "null", clockNow)} }},
		{"SignedWithUndefined", func(*till) []string { return []string{sign(body, "undefined", clockNow)} }},
		{"SignedWithTheTenantsSlug", func(k *till) []string { return []string{sign(body, k.tenant.Slug, clockNow)} }},
		{"SignedAYearAhead", at(365 * 24 * time.Hour)},
		{"Signed301SecondsAhead", at(301 * time.Second)},
		{"Signed301SecondsAgo", at(-301 * time.Second)},
		{"SignedAYearAgo", at(-365 * 24 * time.Hour)},
		{"SignedAtTheEpoch", func(k *till) []string { return []string{sign(body, k.secret(), time.Unix(0, 0))} }},
		{"TwoHeadersOneGoodOneGarbage", func(k *till) []string { return []string{sign(body, k.secret(), clockNow), "garbage"} }},
		{"TwoHeadersBothGood", func(k *till) []string {
			return []string{sign(body, k.secret(), clockNow), sign(body, k.secret(), clockNow)}
		}},
		{"AnEmptyHeader", func(*till) []string { return []string{""} }},
		{"OnlyATime", header("t=TIME")},
		{"OnlyAMAC", header("v1=MAC")},
		{"AnEmptyMAC", header("t=TIME,v1=")},
		{"OnlyAMACOfTheOldScheme", header("t=TIME,v0=MAC")},
		{"TwoTimes", header("t=TIME,GOOD")},
		{"TwoTimesTheSecondOneOld", header("GOOD,t=1")},
		{"ATimeThatIsNoNumber", header("t=now,v1=MAC")},
		{"ATimeBelowZero", header("t=-TIME,v1=MAC")},
		{"ATimeThatOverflows", header("t=99999999999999999999,v1=MAC")},
		{"ATimeWithAFraction", header("t=TIME.0,v1=MAC")},
		{"AMACCutShort", func(k *till) []string { return []string{sign(body, k.secret(), clockNow)[:60]} }},
		{"AMACThatIsNotHex", header("t=TIME,v1=zz")},
		{"ManyWrongMACs", header("t=TIME" + strings.Repeat(",v1=00", 5000))},
	}
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		store := open(t)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				k := setup(t, store)
				k.refused(k.post(body, c.signatures(k)...), http.StatusBadRequest, AnswerForged)
				if !strings.Contains(k.log.String(), "webhook refused") {
					t.Error("the refusal is not in the log")
				}
			})
		}
	})
}

func TestASignatureIsGoodFor300SecondsBothWays(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	for seconds, status := range map[int]int{0: 200, 299: 200, 300: 200, 301: 400, -299: 200, -300: 200, -301: 400} {
		body := completed(fmt.Sprintf("evt_at%d", seconds+1000), "cs_test_1")
		w := k.post(body, sign(body, k.secret(), clockNow.Add(time.Duration(seconds)*time.Second)))
		if w.Code != status {
			t.Errorf("signed %d s from now: want %d, got %d %s", seconds, status, w.Code, w.Body)
		}
	}
}

func TestTheRawBytesAreVerified(t *testing.T) {
	t.Parallel()
	body := completed("evt_raw", "cs_test_1")
	for name, other := range map[string]string{
		"ReSerialised": compact(t, body), "ABlankMore": body + " ", "ANewlineMore": body + "\n", "WithAByteOrderMark": "\ufeff" + body,
		"CutOff": body[:len(body)-1], "AnotherSession": strings.Replace(body, "cs_test_1", "cs_test_2", 1), "Empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, storetest.OpenSQLite(t))
			k.refused(k.post(other, sign(body, k.secret(), clockNow)), http.StatusBadRequest, AnswerForged)
		})
	}
}

// TestATenantWithoutASecretBelievesNobody is WH-05: an empty secret verifies a forged signature in stripe-go.
func TestATenantWithoutASecretBelievesNobody(t *testing.T) {
	t.Parallel()
	body := completed("evt_1", "cs_test_1")
	forgeries := []string{"", "whsec_", "null", "undefined"}
	t.Run("NoSecretIsAskedToComeAgain", func(t *testing.T) {
		t.Parallel()
		k := setup(t, storetest.OpenSQLite(t), func(t *pay.Tenant) { t.StripeWebhookSecrets = nil })
		for _, secret := range forgeries {
			w := k.post(body, sign(body, secret, clockNow))
			if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("signed with %q: got %d, Retry-After %q", secret, w.Code, w.Header().Get("Retry-After"))
			}
		}
		if n := k.rows("events"); n != 0 || k.counted(AnswerRefused) != len(forgeries) {
			t.Errorf("%d rows, counted %v", n, k.answers)
		}
		if k.tenant.ReadyFault() == "" {
			t.Error("the tenant counts as ready")
		}
	})
	t.Run("AnEmptyOneBesideAGoodOneVerifiesNothing", func(t *testing.T) {
		t.Parallel()
		k := setup(t, storetest.OpenSQLite(t), func(t *pay.Tenant) {
			t.StripeWebhookSecrets = []pay.Secret{t.StripeWebhookSecrets[0], ""}
		})
		for _, secret := range forgeries {
			k.refused(k.post(body, sign(body, secret, clockNow)), http.StatusBadRequest, AnswerForged)
		}
		if w := k.send(body); w.Code != http.StatusOK {
			t.Errorf("the good secret: got %d %s", w.Code, w.Body)
		}
	})
}

func TestTheSecretIsRotatedWithoutLosingAnEvent(t *testing.T) {
	t.Parallel()
	const older = "whsec_older_0123456789abcdef"
	two := func(t *pay.Tenant) { t.StripeWebhookSecrets = append(t.StripeWebhookSecrets, older) }
	t.Run("EitherSecretIsGood", func(t *testing.T) {
		t.Parallel()
		k := setup(t, storetest.OpenSQLite(t), two)
		for i, secret := range []string{k.secret(), older} {
			body := completed(fmt.Sprintf("evt_%d", i), "cs_test_1")
			if w := k.post(body, sign(body, secret, clockNow)); w.Code != http.StatusOK {
				t.Errorf("secret %d: got %d %s", i, w.Code, w.Body)
			}
		}
	})
	t.Run("OfTwoMACsTheSecondMayBeTheRightOne", func(t *testing.T) {
		t.Parallel()
		k := setup(t, storetest.OpenSQLite(t))
		body := completed("evt_two", "cs_test_1")
		at := fmt.Sprint(clockNow.Unix())
		w := k.post(body, "t="+at+",v1="+mac(at+"."+body, "whsec_gone_0123456789abcdef")+",v1="+mac(at+"."+body, k.secret()))
		if w.Code != http.StatusOK || k.rows("events") != 1 || k.counted(AnswerStored) != 1 {
			t.Errorf("got %d %s, %d rows, %v", w.Code, w.Body, k.rows("events"), k.answers)
		}
	})
}

// TestALargeBodyIsReadOnlyToTheLimit is WH-15. httptest's request has no Content-Length here, as a chunked one.
func TestALargeBodyIsReadOnlyToTheLimit(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	endless := &countingReader{from: io.LimitReader(zeros{}, 10<<20)}
	k.refused(k.postTo(k.tenant.Slug, endless, "t=1,v1=00"), http.StatusRequestEntityTooLarge, AnswerTooLarge)
	if endless.read > 1<<20+1 {
		t.Errorf("%d bytes were read", endless.read)
	}

	body := completed("evt_large", "cs_test_1")
	body = strings.Replace(body, `"ann@example.com"`, `"`+strings.Repeat("a", 1<<20-len(body)+len("ann@example.com"))+`"`, 1)
	if len(body) != 1<<20 {
		t.Fatalf("the test's body has %d bytes", len(body))
	}
	if w := k.send(body); w.Code != http.StatusOK {
		t.Errorf("a body of exactly the limit: got %d %s", w.Code, w.Body)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestABodyThatBreaksOffIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	body := completed("evt_1", "cs_test_1")
	broken := io.MultiReader(strings.NewReader(body[:50]), failingReader{})
	k.refused(k.postTo(k.tenant.Slug, broken, sign(body, k.secret(), clockNow)), http.StatusBadRequest, AnswerForged)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnUnknownTenantIsA404OfOneShape(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setup(t, open(t))
		body := completed("evt_1", "cs_test_1")
		first := ""
		for _, slug := range []string{"nobody", "t0", "%27%20OR%201=1", strings.Repeat("a", 3000), "%00", "%ff", strings.ToUpper(k.tenant.Slug)} {
			w := k.postTo(slug, strings.NewReader(body), sign(body, k.secret(), clockNow))
			if first == "" {
				first = w.Body.String()
			}
			if w.Code != http.StatusNotFound || w.Body.String() != first {
				t.Errorf("%.20s: got %d %q", slug, w.Code, w.Body)
			}
		}
	})
}

func TestADatabaseThatCannotTakeItAsksStripeToComeAgain(t *testing.T) {
	t.Parallel()
	for name, tenants := range map[string]bool{"NothingCanBeRead": false, "NothingCanBeWritten": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, storetest.OpenSQLite(t))
			broken := *k.pay
			broken.Store = brokenStore{k.store, tenants}
			k.serve(&broken)
			w := k.send(completed("evt_1", "cs_test_1"))
			k.refused(w, http.StatusServiceUnavailable, AnswerRefused)
			if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "away") {
				t.Errorf("Retry-After %q, body %q", w.Header().Get("Retry-After"), w.Body)
			}
			k.serve(k.pay)
			if w := k.send(completed("evt_1", "cs_test_1")); w.Code != http.StatusOK || k.rows("events") != 1 || k.rows("test_jobs") != 1 {
				t.Errorf("sent again when the database is back: %d %s", w.Code, w.Body)
			}
		})
	}
	t.Run("TheDatabaseIsClosed", func(t *testing.T) {
		t.Parallel()
		store, err := sqlstore.Open(context.Background(), sqlstore.Options{URL: "sqlite:" + storetest.NewSQLiteFile(t), SecretKey: storetest.SecretKey})
		if err != nil {
			t.Fatal(err)
		}
		k := setup(t, store)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if w := k.send(completed("evt_1", "cs_test_1")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("got %d %s", w.Code, w.Body)
		}
	})
}

// TestWhatStripeSignedIsKept: a delivery that verifies is stored whatever it says, byte for byte, since a retry could
// not mend it.
func TestWhatStripeSignedIsKept(t *testing.T) {
	t.Parallel()
	usual := completed("evt_1", "cs_test_9")
	cases := []struct {
		name, body, object string
		state              pay.EventState
	}{
		{"AnEventOfAnotherAPIVersion", strings.Replace(usual, "2023-10-16", "2026-09-30.basil", 1), "cs_test_9", pay.EventReceived},
		{"AnEventWithoutAnAPIVersion", strings.Replace(usual, `"2023-10-16"`, "null", 1), "cs_test_9", pay.EventReceived},
		{"AKnownTypeWithUnknownFields", strings.Replace(usual, `"livemode"`, `"context": {"a": [1]}, "livemode"`, 1), "cs_test_9", pay.EventReceived},
		{"AnUnknownType", event("evt_1", "entitlements.active_entitlement_summary.updated", "entitlements.active_entitlement_summary", "x_1"), "", pay.EventIgnored},
		{"AnUnknownTypeAboutAKnownObject", event("evt_1", "checkout.session.polished", "checkout.session", "cs_test_9"), "cs_test_9", pay.EventReceived},
		{"AnIntentThatWasOnlyMade", event("evt_1", "payment_intent.created", "payment_intent", "pi_9"), "", pay.EventIgnored},
		{"ARefundLeadsToItsIntent", `{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_9"}}}`, "pi_9", pay.EventReceived},
		{"AnExpandedIntent", `{"id":"evt_1","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":{"id":"pi_9"}}}}`, "pi_9", pay.EventReceived},
		{"ADisputeWithoutAnIntent", `{"id":"evt_1","type":"charge.dispute.created","data":{"object":{"id":"dp_1","object":"dispute","payment_intent":null,"charge":"ch_9"}}}`, "ch_9", pay.EventReceived},
		{"ARefundOfNothing", `{"id":"evt_1","type":"charge.refund.updated","data":{"object":{"id":"re_9","object":"refund"}}}`, "re_9", pay.EventReceived},
		{"AThinEvent", `{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","created":"2026-03-04T05:06:07.000Z","livemode":false,"reason":null,"related_object":{"id":"mtr_1","type":"billing.meter","url":"/v1/billing/meters/mtr_1"}}`, "", pay.EventIgnored},
		{"AThinEventAboutAnIntent", `{"id":"evt_1","object":"v2.core.event","type":"v1.payment_intent.succeeded","livemode":false,"related_object":{"id":"pi_9","type":"payment_intent","url":"/v1/payment_intents/pi_9"}}`, "pi_9", pay.EventReceived},
		{"AThinEventAboutNothing", `{"id":"evt_1","object":"v2.core.event","type":"v2.core.ping","related_object":null,"data":null}`, "", pay.EventIgnored},
		{"NullWhereAnObjectWas", `{"id":"evt_1","type":"checkout.session.completed","data":{"object":null}}`, "", pay.EventIgnored},
		{"NullForAllData", `{"id":"evt_1","type":"checkout.session.completed","data":null,"livemode":null,"account":null}`, "", pay.EventIgnored},
		{"AListForTheData", `{"id":"evt_1","type":"checkout.session.completed","data":[]}`, "", pay.EventIgnored},
		{"ATextForTheObject", `{"id":"evt_1","type":"checkout.session.completed","data":{"object":"cs_test_9"}}`, "", pay.EventIgnored},
		{"ANumberForTheObjectsID", `{"id":"evt_1","type":"checkout.session.completed","data":{"object":{"id":7,"object":"checkout.session"}}}`, "", pay.EventIgnored},
		{"ATextForTheMode", `{"id":"evt_1","type":"checkout.session.completed","livemode":"yes","data":{"object":{"id":"cs_test_9","object":"checkout.session"}}}`, "cs_test_9", pay.EventReceived},
		{"ANumberForTheVersion", `{"id":"evt_1","type":"checkout.session.completed","api_version":7,"data":{"object":{"id":"cs_test_9","object":"checkout.session"}}}`, "cs_test_9", pay.EventReceived},
		{"ATextForTheRelatedObject", `{"id":"evt_1","object":"v2.core.event","type":"x","related_object":"pi_9"}`, "", pay.EventIgnored},
		{"AnObjectsIDThatIsTooLong", event("evt_1", "checkout.session.completed", "checkout.session", "cs_"+strings.Repeat("a", 300)), "", pay.EventIgnored},
		{"AnObjectsIDThatIsNone", event("evt_1", "checkout.session.completed", "checkout.session", "cs_' OR 1=1"), "", pay.EventIgnored},
		{"NULInTheTexts", `{"id":"evt_1","type":"a\u0000b","api_version":"\u0000","data":{"object":{"id":"cs_\u0000","object":"checkout.session"}}}`, "", pay.EventIgnored},
	}
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		store := open(t)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				k := setup(t, store)
				w := k.send(c.body)
				if w.Code != http.StatusOK || k.counted(AnswerStored) != 1 {
					t.Fatalf("got %d %s, counted %v", w.Code, w.Body, k.answers)
				}
				e := k.stored()
				if e.ObjectID != c.object || e.State != c.state || e.StripeID != "evt_1" {
					t.Errorf("stored as %s about %q, %s", e.StripeID, e.ObjectID, e.State)
				}
				if string(e.Payload) != c.body {
					t.Error("the stored bytes are not those that came")
				}
			})
		}
	})
}

func TestWhatIsSignedButNoEventIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	for _, body := range []string{"", "null", "7", `"evt_1"`, "[]", "{}", `{"id":"evt_1"}`, `{"type":"x"}`, `{"id":"x_1","type":"x"}`, `{"id":7,"type":"x"}`,
		`{"id":"evt_1","type":"x"} {}`, `{"id":"evt_1","type":"x"`, `{"id":"evt_` + strings.Repeat("a", 300) + `","type":"x"}`, `{"id":"evt_\u0000","type":"x"}`,
		`{"id":"evt_1","type":"` + strings.Repeat("a", 300) + `"}`, `{"id":"evt_","type":"x"}`, `<event/>`} {
		if w := k.send(body); w.Code != http.StatusBadRequest {
			t.Errorf("%.40s: got %d %s", body, w.Code, w.Body)
		}
	}
	if n := k.rows("events"); n != 0 {
		t.Errorf("%d rows were stored", n)
	}
}

func TestAConnectedAccountsEventIsCountedAsNotOurs(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	body := strings.Replace(completed("evt_1", "cs_test_9"), `"object": "event"`, `"object": "event", "account": "acct_of_another"`, 1)
	if w := k.send(body); w.Code != http.StatusOK || k.counted(AnswerNotOurs) != 1 {
		t.Errorf("got %d, counted %v", w.Code, k.answers)
	}
	if e := k.stored(); e.State != pay.EventIgnored || k.rows("test_jobs") != 0 {
		t.Errorf("stored as %s, %d jobs", e.State, k.rows("test_jobs"))
	}
	own := strings.Replace(completed("evt_2", "cs_test_9"), `"object": "event"`, `"object": "event", "account": "`+k.tenant.StripeAccount+`"`, 1)
	if w := k.send(own); w.Code != http.StatusOK || k.rows("test_jobs") != 1 {
		t.Errorf("the tenant's own account: %d, %d jobs", w.Code, k.rows("test_jobs"))
	}
}

// TestOneDeliveryAHundredTimesHasOneEffect is WH-19, on both databases.
func TestOneDeliveryAHundredTimesHasOneEffect(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		k := setup(t, open(t))
		o, a := k.sale()
		body := completed("evt_1", a.SessionID)
		var wait sync.WaitGroup
		for range 100 {
			wait.Go(func() {
				if w := k.send(body); w.Code != http.StatusOK {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
			})
		}
		wait.Wait()
		if n, jobs := k.rows("events"), k.rows("test_jobs"); n != 1 || jobs != 1 {
			t.Errorf("%d events and %d jobs", n, jobs)
		}
		if k.counted(AnswerStored) != 1 || k.counted(AnswerRepeated) != 99 {
			t.Errorf("counted %v", k.answers)
		}
		k.paidOnce(o)
	})
}

// paidOnce does the jobs and checks that the order was paid, once.
func (k *till) paidOnce(o *pay.Order) {
	k.t.Helper()
	for _, err := range k.work() {
		if err != nil {
			k.t.Error(err)
		}
	}
	if s := k.state(o); s != pay.OrderPaid || k.rows("payments") != 1 || k.rows("postings") != 1 {
		k.t.Errorf("the order is %s, %d payments, %d postings", s, k.rows("payments"), k.rows("postings"))
	}
	k.square()
}

// TestTheFactsDecideAndNotTheEvent is WH-13, WH-21, WH-23 and WH-25: under a valid signature every answer is 200, and
// what Stripe says when it is asked is what is booked.
func TestTheFactsDecideAndNotTheEvent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		t.Run("TwoEventsOfOneFactAreOneEffect", func(t *testing.T) {
			k := setup(t, open(t))
			o, a := k.sale()
			for _, body := range []string{completed("evt_a", a.SessionID), completed("evt_b", a.SessionID),
				event("evt_c", "payment_intent.succeeded", "payment_intent", "pi_"+a.SessionID[3:])} {
				if w := k.send(body); w.Code != http.StatusOK {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
			}
			if n := k.rows("events"); n != 3 {
				t.Errorf("%d events are stored", n)
			}
			k.paidOnce(o)
		})
		t.Run("AnAmountThatDiffersIsAMismatch", func(t *testing.T) {
			k := setup(t, open(t))
			o, a := k.sale(func(s *pay.StripeSession) { s.AmountTotal.Minor-- })
			if w := k.send(completed("evt_1", a.SessionID)); w.Code != http.StatusOK {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			k.work()
			if s := k.state(o); s != pay.OrderMismatch || k.rows("payments") != 0 || k.rows("unclaimed") != 1 {
				t.Errorf("the order is %s, %d payments, %d unclaimed", s, k.rows("payments"), k.rows("unclaimed"))
			}
			k.square()
		})
		t.Run("APayloadThatSaysPaidWhenStripeSaysUnpaid", func(t *testing.T) {
			k := setup(t, open(t))
			o, a := k.sale(func(s *pay.StripeSession) {
				s.Status, s.PaymentStatus, s.Intent, s.IntentID = "open", "unpaid", nil, ""
			})
			if w := k.send(completed("evt_1", a.SessionID)); w.Code != http.StatusOK {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			k.work()
			if s := k.state(o); s != pay.OrderOpen || k.rows("payments") != 0 {
				t.Errorf("the order is %s, %d payments", s, k.rows("payments"))
			}
			k.square()
		})
		t.Run("ASessionThatStripeDoesNotKnowIsShownAndNothingIsPaid", func(t *testing.T) {
			k := setup(t, open(t))
			if w := k.send(completed("evt_1", "cs_test_invented")); w.Code != http.StatusOK {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			k.work()
			if e := k.stored(); e.State != pay.EventUnmatched || k.rows("payments") != 0 || k.rows("unclaimed") != 1 {
				t.Errorf("the event is %s, %d payments, %d unclaimed", e.State, k.rows("payments"), k.rows("unclaimed"))
			}
			k.square()
		})
		t.Run("AnotherTenantsEventUnderASharedSecretIsQuarantined", func(t *testing.T) {
			store := open(t)
			a := setup(t, store)
			b := setup(t, store, func(t *pay.Tenant) { t.StripeWebhookSecrets = a.tenant.StripeWebhookSecrets })
			o, attempt := a.sale()
			if w := b.send(completed("evt_1", attempt.SessionID)); w.Code != http.StatusOK {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			b.work()
			if e := b.stored(); e.State != pay.EventUnmatched || a.state(o) != pay.OrderOpen || a.rows("payments") != 0 {
				t.Errorf("the event is %s, the order %s, %d payments", e.State, a.state(o), a.rows("payments"))
			}
			if shown, err := store.ListUnclaimed(context.Background(), b.tenant.ID); err != nil || len(shown) != 1 {
				t.Errorf("shown to B: %d, %v", len(shown), err)
			}
			a.square()
		})
		t.Run("TheModeOfTheEventIsNotBelieved", func(t *testing.T) {
			k := setup(t, open(t))
			o, a := k.sale(func(s *pay.StripeSession) { s.Livemode = true })
			k.send(completed("evt_1", a.SessionID))
			k.work()
			if s := k.state(o); s == pay.OrderPaid || k.rows("payments") != 0 {
				t.Errorf("a session of the other mode: the order is %s", s)
			}
			k.square()
		})
	})
}

func TestASuspendedTenantsOlderPaymentsStillCount(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t), func(t *pay.Tenant) { t.State = pay.TenantSuspended })
	o, a := k.sale()
	if w := k.send(completed("evt_1", a.SessionID)); w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	k.paidOnce(o)
}

func TestAnAnswerHoldsNothingOfTheEventAndTheLogNothingPersonal(t *testing.T) {
	t.Parallel()
	k := setup(t, storetest.OpenSQLite(t))
	body := completed("evt_1", "cs_test_9")
	for _, w := range []string{k.send(body).Body.String(), k.post(body, "t=1,v1=00").Body.String(), k.send(body[:20]).Body.String()} {
		if strings.Contains(w, "ann@example.com") || strings.Contains(w, "cs_test_9") {
			t.Errorf("the answer is %q", w)
		}
	}
	if strings.Contains(k.log.String(), "ann@example.com") || strings.Contains(k.log.String(), k.secret()) {
		t.Error("the log holds personal data or the secret")
	}
}
