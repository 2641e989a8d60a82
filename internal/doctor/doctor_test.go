package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

const baseURL = "https://till.example"

var (
	wanted = []string{"charge.refunded", "payment_intent.succeeded"}
	now    = storetest.Now
)

// stripe is an account that the test arranges.
type stripe struct {
	account   pay.StripeAccount
	refuses   error // of Account
	ahead     time.Duration
	noTime    error
	endpoints []Endpoint
	noList    error
	noCreate  error
	noDelete  error
	made      int
}

func (s *stripe) Account(context.Context, *pay.Tenant) (pay.StripeAccount, error) {
	return s.account, s.refuses
}
func (s *stripe) ClockAhead(context.Context, *pay.Tenant) (time.Duration, error) {
	return s.ahead, s.noTime
}
func (s *stripe) Endpoints(context.Context, *pay.Tenant) ([]Endpoint, error) {
	return slices.Clone(s.endpoints), s.noList
}
func (s *stripe) CreateEndpoint(_ context.Context, _ *pay.Tenant, url string) (string, pay.Secret, error) {
	if s.noCreate != nil {
		return "", "", s.noCreate
	}
	s.made++
	id := fmt.Sprintf("we_made%d", s.made)
	s.endpoints = append(s.endpoints, Endpoint{ID: id, URL: url, Enabled: true, APIVersion: "2023-10-16", Events: wanted})
	return id, pay.Secret("whsec_canary_of_" + id), nil
}
func (s *stripe) MendEndpoint(_ context.Context, _ *pay.Tenant, id string) error {
	for i := range s.endpoints {
		if s.endpoints[i].ID == id {
			s.endpoints[i].Enabled, s.endpoints[i].Events = true, wanted
		}
	}
	return nil
}
func (s *stripe) DeleteEndpoint(_ context.Context, _ *pay.Tenant, id string) error {
	s.endpoints = slices.DeleteFunc(s.endpoints, func(e Endpoint) bool { return e.ID == id })
	return s.noDelete
}

// patient is an installation with one tenant, in which nothing is wrong.
type patient struct {
	Options
	t       *testing.T
	store   *sqlstore.Store
	tenant  *pay.Tenant
	stripe  *stripe
	db      Database
	backlog Backlog
	proof   *pay.Proof
	kept    []pay.Secret
}

func healthy(t *testing.T, changes ...func(*pay.Tenant)) *patient {
	t.Helper()
	s := storetest.OpenSQLite(t)
	tenant := storetest.Tenant(t, s, append([]func(*pay.Tenant){func(t *pay.Tenant) { t.StripeKey = "rk_test_canary0000000000" }}, changes...)...)
	p := &patient{t: t, store: s, tenant: tenant, proof: &pay.Proof{}, db: Database{Kind: "sqlite", Version: "3.53.0", Journal: "wal", Durable: "full", Schema: 2, Dir: t.TempDir()},
		stripe: &stripe{account: pay.StripeAccount{ID: tenant.StripeAccount}, endpoints: []Endpoint{
			{ID: "we_1", URL: baseURL + "/webhooks/stripe/" + tenant.Slug, Enabled: true, APIVersion: "2023-10-16", Events: wanted},
			{ID: "we_another", URL: "https://shop.example/hook", Events: []string{"*"}}}}}
	p.Options = Options{Store: s, Stripe: p.stripe, SecretKey: s.CheckSecretKey, Now: func() time.Time { return now }, BaseURL: baseURL,
		Database: func(context.Context) (Database, error) { return p.db, nil },
		Backlog:  func(context.Context, time.Time) (Backlog, error) { return p.backlog, nil },
		Proof: func(context.Context, string, time.Time, time.Time) (*pay.Proof, error) {
			if p.proof == nil {
				return nil, errors.New("the database is down")
			}
			return p.proof, nil
		},
		Disk: func(string) (uint64, uint64, error) { return 50 << 30, 100 << 30, nil },
		KeepSecret: func(_ context.Context, _ string, secret pay.Secret) error {
			p.kept = append(p.kept, secret)
			return nil
		},
		Events: wanted, APIVersion: "2023-10-16", Permissions: []string{"Charges: write"}}
	return p
}

func later(d time.Duration) func() time.Time { return func() time.Time { return now.Add(d) } }

// swept notes that everything was listed, but for some kinds.
func (p *patient) swept(through time.Time, except ...pay.ListKind) {
	p.t.Helper()
	ctx := context.Background()
	for _, k := range pay.ListKinds {
		if slices.Contains(except, k) {
			continue
		}
		if err := p.store.InTx(ctx, func(tx pay.Tx) error {
			return tx.SetSweepMark(ctx, p.tenant.ID, k, pay.SweepMark{Through: through, DeepAt: through}, through)
		}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// check is what is found under a name; there must be one such check.
func (p *patient) check(name string) Check {
	p.t.Helper()
	var found []Check
	for _, c := range p.examine() {
		if c.Name == name {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		p.t.Fatalf("%d checks are called %s", len(found), name)
	}
	return found[0]
}

// examine makes all checks and holds them to what every check must be.
func (p *patient) examine() []Check {
	p.t.Helper()
	checks := Examine(context.Background(), p.Options)
	for _, c := range checks {
		text, err := json.Marshal(c)
		if err != nil || strings.Contains(string(text), "canary") {
			p.t.Errorf("a secret is told: %s", text)
		}
		if (c.State == OK) != (c.Do == "") || c.What == "" {
			p.t.Errorf("what is wrong has something to do about it, and nothing else has: %+v", c)
		}
	}
	return checks
}

func TestWhatIsHealthyHasNothingToDo(t *testing.T) {
	t.Parallel()
	checks := healthy(t).examine()
	if Worst(checks) != OK || len(checks) < 12 {
		t.Errorf("%+v", checks)
	}
}

// TestEveryIllnessIsFound: each check has something that makes it fail or warn.
func TestEveryIllnessIsFound(t *testing.T) {
	t.Parallel()
	silent := &pay.StripeFault{Kind: pay.FaultUnavailable, Message: "canary: Stripe's own words"}
	own := func(p *patient) *Endpoint { return &p.stripe.endpoints[0] }
	for name, c := range map[string]struct {
		harm  func(p *patient)
		check string
		state State
		what  string
	}{
		"ABaseURLByHTTP":           {func(p *patient) { p.BaseURL = "http://till.example" }, "base url", Fail, "not https"},
		"ABaseURLOfThisMachine":    {func(p *patient) { p.BaseURL = "https://127.0.0.1:8443" }, "base url", Fail, "this machine only"},
		"ABaseURLOfLocalhost":      {func(p *patient) { p.BaseURL = "https://LocalHost" }, "base url", Fail, "this machine only"},
		"NoBaseURL":                {func(p *patient) { p.BaseURL = "" }, "base url", Fail, "not an address"},
		"ASandboxOnThisMachine":    {func(p *patient) { p.BaseURL, p.Sandbox = "http://127.0.0.1:1", true }, "base url", OK, "sandbox"},
		"ADatabaseThatIsBehind":    {func(p *patient) { p.Store = lame{Store: p.store, ping: sqlstore.ErrSchemaOlder} }, "database", Fail, "portatill migrate"},
		"SettingsThatCannotBeRead": {func(p *patient) { p.Database = func(context.Context) (Database, error) { return Database{}, silent } }, "database", Fail, "cannot be read"},
		"AnOldSQLite":              {func(p *patient) { p.db.TooOld, p.db.Version = true, "3.50.0" }, "sqlite", Fail, "3.50.0"},
		"NoWAL":                    {func(p *patient) { p.db.Journal = "delete" }, "sqlite", Fail, "journal mode delete"},
		"NoSync":                   {func(p *patient) { p.db.Durable = "normal" }, "sqlite", Fail, "synchronous is normal"},
		"NoSyncOnPostgreSQL":       {func(p *patient) { p.db = Database{Kind: "postgres", Durable: "off"} }, "postgresql", Fail, "synchronous_commit is off"},
		"ALittleDisk":              {func(p *patient) { p.Disk = disk(9, nil) }, "disk", Warn, "9 % "},
		"NoDisk":                   {func(p *patient) { p.Disk = disk(1, nil) }, "disk", Fail, "1 % "},
		"EnoughDisk":               {func(p *patient) { p.Disk = disk(10, nil) }, "disk", OK, "10 % "},
		"ADiskThatCannotBeSeen":    {func(p *patient) { p.Disk = disk(0, os.ErrPermission) }, "disk", Warn, "cannot be seen"},
		"AnotherSecretKey":         {func(p *patient) { p.SecretKey = func(context.Context) error { return errors.New("wrong key") } }, "secret key", Fail, "wrong key"},
		"AJobThatIsLate":           {func(p *patient) { p.backlog = Backlog{Due: 1, DueSince: now.Add(-2 * time.Minute)} }, "jobs", Warn, "1 job is due, the oldest for 2 minutes"},
		"JobsThatNobodyDoes":       {func(p *patient) { p.backlog = Backlog{Due: 7, DueSince: now.Add(-time.Hour)} }, "jobs", Fail, "7 jobs are due"},
		"AJobThatJustCame":         {func(p *patient) { p.backlog = Backlog{Due: 7, DueSince: now.Add(-time.Second)} }, "jobs", OK, "none is late"},
		"AJobThatFails":            {func(p *patient) { p.backlog = Backlog{Retrying: 1, OldestRetry: now.Add(-2 * time.Hour)} }, "jobs", Warn, "1 job fails"},
		"JobsThatFailForDays":      {func(p *patient) { p.backlog = Backlog{Retrying: 2, OldestRetry: now.Add(-72 * time.Hour)} }, "jobs", Fail, "3 days"},
		"AJobThatGaveUp":           {func(p *patient) { p.backlog = Backlog{GaveUp: 1} }, "jobs", Warn, "1 job gave up"},
		"AQueueThatIsNotThere": {func(p *patient) {
			p.Backlog = func(context.Context, time.Time) (Backlog, error) { return Backlog{}, silent }
		}, "jobs", Fail, "cannot be read"},
		"BrokenBooks":             {func(p *patient) { p.Store = lame{Store: p.store, broken: []string{"acme: canary"}} }, "books", Fail, "1 invariant is broken"},
		"TenantsThatCannotBeRead": {func(p *patient) { p.Store = lame{Store: p.store, tenants: silent} }, "tenants", Fail, "cannot be read"},
		"ARevokedKey": {func(p *patient) {
			p.stripe.refuses = &pay.StripeFault{Kind: pay.FaultCredentials, Code: "api_key_expired"}
			p.stripe.noList = p.stripe.refuses
		}, "stripe key", Fail, "api_key_expired"},
		"AStripeThatIsSilent":            {func(p *patient) { p.stripe.refuses = silent }, "stripe key", Fail, "not heard"},
		"AnotherAccountsKey":             {func(p *patient) { p.stripe.account.ID = "acct_other" }, "stripe key", Fail, "acct_other"},
		"AClockThatIsAhead":              {func(p *patient) { p.stripe.ahead = 6 * time.Second }, "clock", Warn, "6s ahead of"},
		"AClockThatIsFarBehind":          {func(p *patient) { p.stripe.ahead = -61 * time.Second }, "clock", Fail, "1m1s behind"},
		"AClockThatAgrees":               {func(p *patient) { p.stripe.ahead = -5 * time.Second }, "clock", OK, "agrees"},
		"NoTime":                         {func(p *patient) { p.stripe.noTime = silent }, "clock", Warn, "not known"},
		"NoEndpoint":                     {func(p *patient) { p.stripe.endpoints = nil }, EndpointCheck, Fail, "Stripe has none for " + baseURL + "/webhooks/stripe/"},
		"AnEndpointElsewhere":            {func(p *patient) { own(p).URL = "https://old.example/webhooks/stripe/" + p.tenant.Slug }, EndpointCheck, Fail, "Stripe has none"},
		"AnEndpointAtTheOldAddress":      {func(p *patient) { own(p).URL = baseURL + "/StripeWebHook/" + p.tenant.Slug }, EndpointCheck, OK, "we_1 is on"},
		"AnEndpointThatIsOff":            {func(p *patient) { own(p).Enabled = false }, EndpointCheck, Fail, "switched off"},
		"AnEndpointOfAnotherVersion":     {func(p *patient) { own(p).APIVersion = "2024-06-20" }, EndpointCheck, Fail, "2024-06-20 instead of 2023-10-16"},
		"AnEndpointOfTheAccountsVersion": {func(p *patient) { own(p).APIVersion = "" }, EndpointCheck, Fail, "of the account instead of 2023-10-16"},
		"AnEndpointThatMissesAnEvent":    {func(p *patient) { own(p).Events = wanted[:1] }, EndpointCheck, Fail, "does not hear payment_intent.succeeded"},
		"AnEndpointThatHearsMore":        {func(p *patient) { own(p).Events = append(slices.Clone(wanted), "invoice.paid") }, EndpointCheck, Warn, "invoice.paid"},
		"AnEndpointThatHearsAll":         {func(p *patient) { own(p).Events = []string{"*"} }, EndpointCheck, Warn, "nobody needs: *"},
		"TwoEndpoints":                   {func(p *patient) { p.stripe.endpoints[1].URL = own(p).URL }, EndpointCheck, Fail, "we_1, we_another"},
		"AListThatIsNotShown":            {func(p *patient) { p.stripe.noList = silent }, EndpointCheck, Fail, "does not show"},
		"AFailedEvent":                   {func(p *patient) { p.event(pay.EventFailed, now) }, "events", Fail, "1 event gave up"},
		"UnclaimedMoney":                 {func(p *patient) { p.unclaimed() }, "unclaimed money", Warn, "1 case waits"},
		"SilenceAlthoughPaymentsAreMade": {func(p *patient) { p.paid(now.Add(-2*time.Hour), "pi_1") }, "webhooks arriving", Fail, "no event came in the last 7 days, although 1 payment was booked"},
		"SilenceSinceTheLastEvent": {func(p *patient) {
			p.event(pay.EventApplied, now.Add(-30*time.Hour))
			p.paid(now.Add(-30*time.Hour), "pi_1")
			p.paid(now.Add(-3*time.Hour), "pi_2")
			p.paid(now.Add(-2*time.Hour), "pi_3")
		}, "webhooks arriving", Fail, "2 payments were booked"},
		"APaymentOfJustNow": {func(p *patient) { p.paid(now.Add(-time.Minute), "pi_1") }, "webhooks arriving", OK, "none in the last 7 days"},
		"APaymentOfNothing": {func(p *patient) { p.paid(now.Add(-2*time.Hour), "voucher") }, "webhooks arriving", OK, "none in the last 7 days"},
		"APaymentWhoseEventCame": {func(p *patient) {
			p.paid(now.Add(-2*time.Hour), "pi_1")
			p.event(pay.EventApplied, now.Add(-2*time.Hour))
		}, "webhooks arriving", OK, "the last one came 2 hours ago"},
		"ATenantThatWasNeverSwept": {func(p *patient) { p.Now = later(3 * time.Hour) }, "sweep", Warn, "were never listed"},
		"ATenantThatIsNeverSwept":  {func(p *patient) { p.Now = later(25 * time.Hour) }, "sweep", Fail, "PORTATILL_SWEEP_INTERVAL"},
		"ATenantThatIsNew":         {func(p *patient) { p.Now = later(time.Hour) }, "sweep", OK, "is new"},
		"ASweepOfAWhileAgo":        {func(p *patient) { p.swept(now.Add(-time.Hour)) }, "sweep", OK, "listed 60 minutes ago"},
		"ASweepThatStopped":        {func(p *patient) { p.swept(now.Add(-25 * time.Hour)) }, "sweep", Fail, "last listed at Stripe"},
		"ASweepThatLeavesAKindOut": {func(p *patient) { p.swept(now, pay.ListPayouts); p.Now = later(90 * time.Minute) }, "sweep", OK, "is new"},
		"AnAccountThatAnotherTenantHadFirst": {func(p *patient) {
			p.Tenant = p.tenant.Slug
			other := storetest.Tenant(p.t, p.store)
			storetest.Write(p.t, p.store, func(ctx context.Context, tx pay.Tx) error {
				_, err := tx.ClaimStripeAccount(ctx, p.tenant.StripeAccount, p.tenant.StripeLivemode, other.ID, "")
				return err
			})
			p.swept(now.Add(-time.Hour), pay.ListPayouts)
		}, "sweep", OK, "listed 60 minutes ago"},
		"SomethingUnexplained": {func(p *patient) {
			p.proof = &pay.Proof{Unexplained: []pay.ProofSum{{Tenant: "acme", Currency: "GBP", Amount: "0.01"}},
				Rows: []pay.ProofRow{{Tenant: "acme", Currency: "GBP", Unexplained: "0.01"}}}
		}, "proof of books", Fail, "0.01 GBP"},
		"AChangedEntry":             {func(p *patient) { p.proof.Broken = []string{"acme: canary"} }, "proof of books", Fail, "1 entry or closed day was changed"},
		"AProofThatCannotBeMade":    {func(p *patient) { p.proof = nil }, "proof of books", Fail, "cannot be made"},
		"ATenantThatIsNotLookedFor": {func(p *patient) { p.Tenant = p.tenant.Slug; storetest.Tenant(p.t, p.store) }, "ready", OK, "it can take money"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := healthy(t)
			c.harm(p)
			if got := p.check(c.check); got.State != c.state || !strings.Contains(got.What+got.Do, c.what) {
				t.Errorf("%+v, want %s with %q", got, c.state, c.what)
			}
		})
	}
	t.Run("AnUnrestrictedKey", func(t *testing.T) {
		t.Parallel()
		p := healthy(t, func(t *pay.Tenant) { t.StripeKey = "sk_test_canary0000000000" })
		if got := p.check("stripe key"); got.State != Warn || !strings.Contains(got.Do, "Charges: write") {
			t.Errorf("%+v", got)
		}
	})
	noAccount := &pay.StripeFault{Kind: pay.FaultCredentials, Code: "invalid_request_error"}
	t.Run("ARestrictedKeyThatMayNotSeeItsAccount", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		p.stripe.refuses = noAccount
		if got := p.check("stripe key"); got.State != OK || !strings.Contains(got.What, p.tenant.StripeAccount) {
			t.Errorf("of an account that was learnt: %+v", got)
		}
		if got := p.check(EndpointCheck); got.State != OK {
			t.Errorf("%+v", got)
		}
		p = healthy(t, func(t *pay.Tenant) { t.StripeAccount = "" })
		p.stripe.refuses = noAccount
		if got := p.check("stripe key"); got.State != Fail || !strings.Contains(got.What, "before the first payment") || !strings.Contains(got.Do, "--stripe-account") {
			t.Errorf("of an account that was not: %+v", got)
		}
	})
	t.Run("AnUnrestrictedKeyThatIsRefused", func(t *testing.T) {
		t.Parallel()
		p := healthy(t, func(t *pay.Tenant) { t.StripeKey = "sk_test_canary0000000000" })
		p.stripe.refuses = noAccount
		if got := p.check("stripe key"); got.State != Fail {
			t.Errorf("%+v", got)
		}
	})
	t.Run("ATenantWithoutAKey", func(t *testing.T) {
		t.Parallel()
		p := healthy(t, func(t *pay.Tenant) { t.StripeKey = "" })
		if got := p.check("ready"); got.State != Fail || !strings.Contains(got.What, "no Stripe key") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("NoTenants", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		p.Store = lame{Store: p.store, none: true}
		if got := p.check("tenants"); got.State != Warn {
			t.Errorf("%+v", got)
		}
	})
}

func TestFixMakesOrMendsTheOneEndpoint(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(p *patient)
		kept int
	}{
		"None":           {func(p *patient) { p.stripe.endpoints = p.stripe.endpoints[1:] }, 1},
		"SwitchedOff":    {func(p *patient) { p.stripe.endpoints[0].Enabled = false }, 0},
		"TooFewEvents":   {func(p *patient) { p.stripe.endpoints[0].Events = nil }, 0},
		"TooMany":        {func(p *patient) { p.stripe.endpoints[0].Events = []string{"*"} }, 0},
		"AnotherVersion": {func(p *patient) { p.stripe.endpoints[0].APIVersion = "" }, 1},
		"Two":            {func(p *patient) { p.stripe.endpoints = append(p.stripe.endpoints, p.stripe.endpoints[0]) }, 1},
		"Healthy":        {func(*patient) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := healthy(t)
			c.harm(p)
			p.Fix = true
			if got := p.check(EndpointCheck); got.State != OK || (name != "Healthy") != strings.Contains(got.What, "mended: ") {
				t.Errorf("%+v", got)
			}
			p.Fix = false
			if got := p.check(EndpointCheck); got.State != OK || len(p.kept) != c.kept {
				t.Errorf("afterwards %+v, %d secrets kept", got, len(p.kept))
			}
			if n := slices.IndexFunc(p.stripe.endpoints, func(e Endpoint) bool { return e.ID == "we_another" }); n < 0 || len(p.stripe.endpoints) != 2 {
				t.Errorf("of the others: %+v", p.stripe.endpoints)
			}
		})
	}
	t.Run("ATenantWithoutASecretGetsOneAndIsReady", func(t *testing.T) {
		t.Parallel()
		p := healthy(t, func(t *pay.Tenant) { t.StripeWebhookSecrets = nil })
		if got := p.check("ready"); got.State != Fail {
			t.Errorf("before: %+v", got)
		}
		p.Fix = true
		if got := p.check("ready"); got.State != OK || len(p.kept) != 1 {
			t.Errorf("%+v, %d secrets kept", got, len(p.kept))
		}
	})
	t.Run("ASecretThatCannotBeKeptLeavesNoEndpoint", func(t *testing.T) {
		t.Parallel()
		p := healthy(t)
		p.stripe.endpoints, p.Fix = nil, true
		p.KeepSecret = func(context.Context, string, pay.Secret) error { return errors.New("the disk is full") }
		if got := p.check(EndpointCheck); got.State != Fail || !strings.Contains(got.What, "the disk is full") || len(p.stripe.endpoints) != 0 {
			t.Errorf("%+v, %+v", got, p.stripe.endpoints)
		}
	})
	t.Run("ARefusalOfStripesIsAFailure", func(t *testing.T) {
		t.Parallel()
		refused := &pay.StripeFault{Kind: pay.FaultCredentials, Code: "more_permissions_required", Message: "canary"}
		for _, s := range []*stripe{{noCreate: refused}, {noDelete: refused, endpoints: []Endpoint{{ID: "we_1"}, {ID: "we_2"}}}} {
			p := healthy(t)
			for i := range s.endpoints {
				s.endpoints[i].URL = p.stripe.endpoints[0].URL
			}
			s.account = p.stripe.account
			p.Stripe, p.Fix = s, true
			if got := p.check(EndpointCheck); got.State != Fail || !strings.Contains(got.What, "more_permissions_required") {
				t.Errorf("%+v", got)
			}
		}
	})
}

func TestTheDiskIsSeen(t *testing.T) {
	t.Parallel()
	free, of, err := Disk(t.TempDir())
	if errors.Is(err, errors.ErrUnsupported) && runtime.GOOS != "linux" { // where CI runs it must be seen
		t.Skip("not on this system")
	}
	if err != nil || of == 0 || free > of {
		t.Errorf("%d of %d, %v", free, of, err)
	}
	if _, _, err := Disk("/nonexistent/directory"); err == nil {
		t.Error("a directory that is not there has a disk")
	}
}

func disk(percent uint64, err error) func(string) (uint64, uint64, error) {
	return func(string) (uint64, uint64, error) { return percent*(1<<30) + 1<<29, 100 << 30, err }
}

// lame is a store that fails in one way.
type lame struct {
	pay.Store
	ping, tenants error
	broken        []string
	none          bool
}

func (l lame) Ping(ctx context.Context) error {
	if l.ping != nil {
		return l.ping
	}
	return l.Store.Ping(ctx)
}

func (l lame) VerifyBooks(context.Context) ([]string, error) { return l.broken, nil }

func (l lame) ListTenants(ctx context.Context) ([]*pay.Tenant, error) {
	if l.tenants != nil || l.none {
		return nil, l.tenants
	}
	return l.Store.ListTenants(ctx)
}

func (p *patient) event(state pay.EventState, at time.Time) {
	p.t.Helper()
	id := pay.NewID("evn", at)
	storetest.Write(p.t, p.store, func(ctx context.Context, tx pay.Tx) error {
		_, err := tx.InsertEvent(ctx, &pay.Event{ID: id, TenantID: p.tenant.ID, StripeID: "evt_" + id[4:], Type: "charge.succeeded", Payload: []byte("{}"), State: state, ReceivedAt: at, DoneAt: at})
		return err
	})
}

func (p *patient) unclaimed() {
	p.t.Helper()
	storetest.Write(p.t, p.store, func(ctx context.Context, tx pay.Tx) error {
		return tx.InsertUnclaimed(ctx, &pay.Unclaimed{ID: pay.NewID("unc", now), TenantID: p.tenant.ID, ObjectID: "pi_1", Amount: pay.Money{Currency: "GBP"}, Reason: "not_at_stripe",
			Detail: "d", State: "open", CreatedAt: now, UpdatedAt: now})
	})
}

func (p *patient) paid(at time.Time, evidence string) {
	p.t.Helper()
	o := storetest.Order(p.t, p.store, storetest.Customer(p.t, p.store, p.tenant.ID), func(o *pay.Order) { o.CreatedAt, o.UpdatedAt = at, at })
	storetest.Write(p.t, p.store, func(ctx context.Context, tx pay.Tx) error {
		_, err := tx.MarkOrderPaid(ctx, p.tenant.ID, o.ID, pay.OrderOpen, evidence, at)
		return err
	})
}
