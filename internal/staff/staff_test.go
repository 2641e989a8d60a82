package staff

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/pay"
)

func TestEveryCellOfThePermissions(t *testing.T) {
	t.Parallel()
	// One letter for each role that may: operator, tenant admin, tenant viewer.
	want := map[Action]string{
		Own: "oav", See: "oav", Export: "oav", Work: "oa", Refund: "oa", SeeEvents: "oa", Replay: "oa", SeeSettings: "oa", ChangeSettings: "oa",
		SeeAudit: "oa", Sweep: "o", SeeTenants: "o", ChangeTenants: "o", SeeInstallation: "o", SeeStaff: "o", ChangeStaff: "o",
	}
	if len(want) != len(Actions) {
		t.Errorf("%d actions are expected, there are %d", len(want), len(Actions))
	}
	letters := map[Role]string{Operator: "o", TenantAdmin: "a", TenantViewer: "v", "king": "k", "": "-"}
	for _, a := range Actions {
		for role, letter := range letters {
			t.Run(string(role)+" "+string(a), func(t *testing.T) {
				t.Parallel()
				if got := role.May(a); got != strings.Contains(want[a], letter) {
					t.Errorf("got %v", got)
				}
			})
		}
	}
	t.Run("AnActionThatIsNotInTheTableIsNobodys", func(t *testing.T) {
		t.Parallel()
		for role := range letters {
			if role.May("fly") {
				t.Errorf("%s may", role)
			}
		}
	})
	t.Run("WhatMovesMoneyOrChangesWhoMayIsDangerous", func(t *testing.T) {
		t.Parallel()
		for _, a := range Actions {
			if want := a == Refund || a == ChangeSettings || a == ChangeTenants || a == ChangeStaff; a.Dangerous() != want {
				t.Errorf("%s: %v", a, a.Dangerous())
			}
		}
	})
}

func TestATenantsPeopleSeeOnlyTheirTenant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    Person
		sees string
		want bool
	}{
		{Person{Role: Operator}, "ten_a", true}, {Person{Role: TenantAdmin, TenantID: "ten_a"}, "ten_a", true}, {Person{Role: TenantViewer, TenantID: "ten_a"}, "ten_a", true},
		{Person{Role: TenantAdmin, TenantID: "ten_a"}, "ten_b", false}, {Person{Role: TenantViewer, TenantID: "ten_a"}, "", false}, {Person{Role: TenantViewer}, "", false}, {Person{}, "", false},
	} {
		if got := c.p.MaySee(c.sees); got != c.want {
			t.Errorf("%s of %q sees %q: %v", c.p.Role, c.p.TenantID, c.sees, got)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	t.Run("OnlyTheRightOneFits", func(t *testing.T) {
		t.Parallel()
		hash := hashPassword("five random words of mine")
		for password, want := range map[pay.Secret]bool{"five random words of mine": true, "Five random words of mine": false, "": false,
			"five random words of mine ": false, pay.Secret(strings.Repeat("x", 1<<20)): false} {
			if good, stale := checkPassword(hash, password); good != want || stale {
				t.Errorf("%d bytes: good %v, stale %v", len(password), good, stale)
			}
		}
		if hash == hashPassword("five random words of mine") {
			t.Error("two hashes have one salt")
		}
	})
	t.Run("TheyAreKeptInPHCFormWithOWASPsParameters", func(t *testing.T) {
		t.Parallel()
		if hash := hashPassword("five random words of mine"); !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || len(hash) > 120 {
			t.Errorf("it is %s", hash)
		}
	})
	t.Run("AHashOfOtherParametersFitsAndIsToBeMadeAnew", func(t *testing.T) {
		t.Parallel()
		old := params{memory: 8 * 1024, time: 1, lanes: 1}
		salt := []byte("0123456789abcdef")
		hash := encodePHC(old, salt, argon2.IDKey([]byte("five random words"), salt, old.time, old.memory, old.lanes, keyBytes))
		if good, stale := checkPassword(hash, "five random words"); !good || !stale {
			t.Errorf("good %v, stale %v", good, stale)
		}
		if good, stale := checkPassword(hash, "five random word"); good || stale {
			t.Errorf("a wrong one: good %v, stale %v", good, stale)
		}
	})
	t.Run("WhatIsNoHashFitsNothing", func(t *testing.T) {
		t.Parallel()
		for _, hash := range []string{"", "x", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2i$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg",
			"$argon2id$v=19$m=19456,t=0,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", "$argon2id$v=18$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg"} {
			if good, _ := checkPassword(hash, ""); good {
				t.Errorf("%q fits", hash)
			}
		}
	})
	t.Run("WeakOnesAreRefused", func(t *testing.T) {
		t.Parallel()
		p := &Person{Email: "ada.lovelace@example.com"}
		for _, password := range []pay.Secret{"", "short", "elevenbytes", pay.Secret(strings.Repeat("ab", 129)), "ada.lovelace@example.com", "ADA.Lovelace@Example.com", "ada.lovelace2026!",
			"passwordpassword", "PasswordPassword", "correct horse battery staple", "aaaaaaaaaaaaaaaa", "qwertyuiop123", "nul in it \x00 there", "bad utf8 \xff\xfe there"} {
			if err := checkNewPassword(p, password); pay.CodeOf(err) != pay.CodeBadRequest {
				t.Errorf("%q: %v", password.Reveal(), err)
			} else if len(password) > 0 && strings.Contains(err.Error(), password.Reveal()) {
				t.Errorf("the refusal quotes %q", password.Reveal())
			}
		}
		for _, password := range []pay.Secret{"four words of mine", "ada.lovelace keeps seven geese", "пароль из пяти слов", pay.Secret(strings.Repeat("ab", 128))} {
			if err := checkNewPassword(p, password); err != nil {
				t.Errorf("%q: %v", password.Reveal(), err)
			}
		}
	})
	t.Run("TheListHasOnlyWhatWouldPassOtherwise", func(t *testing.T) {
		t.Parallel()
		if len(commonest()) < 80 {
			t.Errorf("it has %d", len(commonest()))
		}
		for password := range commonest() {
			if len(password) < minPassword || password != strings.ToLower(strings.TrimSpace(password)) {
				t.Errorf("%q is refused anyway, or never found", password)
			}
		}
	})
	t.Run("AGeneratedOneIsTaken", func(t *testing.T) {
		t.Parallel()
		seen := map[pay.Secret]bool{}
		for range 100 {
			password := GeneratePassword()
			if err := checkNewPassword(&Person{Email: "a@example.com"}, password); err != nil || seen[password] || len(password) != 29 {
				t.Fatalf("%q: %v", password.Reveal(), err)
			}
			seen[password] = true
		}
	})
}

func TestWhatNobodyTypedIsNotTakenForAHash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if _, _, _, ok := decodePHC(text); ok {
			t.Fatalf("%q is taken for a hash", text)
		}
	})
}

func TestTOTP(t *testing.T) {
	t.Parallel()
	// RFC 6238, appendix B: the secret "12345678901234567890", of whose eight digits these are the last six.
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if step, good := matchTOTP(secret, code, time.Unix(at, 0)); !good || step != at/30 {
			t.Errorf("at %d: step %d, %v", at, step, good)
		}
		for off, want := range map[int64]bool{-60: false, -30: true, 30: true, 60: false} {
			if _, good := matchTOTP(secret, code, time.Unix(at+off, 0)); at+off >= 0 && good != want {
				t.Errorf("at %d, %d seconds off: %v", at, off, good)
			}
		}
	}
	if _, good := matchTOTP("", "000000", time.Unix(59, 0)); good {
		t.Error("a person without an app has a code")
	}
}

func TestTheThrottle(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	t.Run("OfManyTriesAtOnceNoMoreGetThrough", func(t *testing.T) {
		t.Parallel()
		th := newThrottle()
		var wait sync.WaitGroup
		var mu sync.Mutex
		through, told := 0, 0
		for i := range 200 {
			wait.Go(func() {
				w, first := th.take("ada", fmt.Sprint("address ", i), start)
				mu.Lock()
				defer mu.Unlock()
				if w == 0 {
					through++
				}
				if first {
					told++
				}
			})
		}
		wait.Wait()
		if through != triesAccount || told != 1 {
			t.Errorf("%d got through, %d refusals were told", through, told)
		}
	})
	t.Run("TheWindowEnds", func(t *testing.T) {
		t.Parallel()
		th := newThrottle()
		for range triesAccount {
			th.take("ada", "", start)
		}
		if w, _ := th.take("ada", "", start.Add(5*time.Minute)); w != 10*time.Minute {
			t.Errorf("the wait is %s", w)
		}
		if w, _ := th.take("ada", "", start.Add(tryWindow)); w != 0 {
			t.Errorf("after the window the wait is %s", w)
		}
	})
	t.Run("ASuccessClearsTheAccountOnly", func(t *testing.T) {
		t.Parallel()
		th := newThrottle()
		for i := range triesAddress {
			th.take(fmt.Sprint("account ", i), "192.0.2.1", start)
			th.forget(fmt.Sprint("account ", i))
		}
		if w, _ := th.take("ada", "192.0.2.1", start); w == 0 {
			t.Error("the address is forgotten too")
		}
	})
	t.Run("ItsMemoryIsBoundedAndKeepsWhoIsRefused", func(t *testing.T) {
		t.Parallel()
		th := newThrottle()
		for range triesAccount {
			th.take("ada", "192.0.2.1", start)
		}
		for i := range 2 * mostCounters {
			th.take(fmt.Sprint("account ", i), fmt.Sprint("address ", i), start)
		}
		if len(th.counters) > mostCounters {
			t.Errorf("it has %d counters", len(th.counters))
		}
		if w, _ := th.take("ada", "192.0.2.9", start); w == 0 {
			t.Error("the one under attack was forgotten")
		}
	})
}

func TestAPersonIsValidated(t *testing.T) {
	t.Parallel()
	good := Person{Email: "ada@example.com", Name: "Ada", Role: Operator, State: Active}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(p *Person){
		"NoEmail": func(p *Person) { p.Email = "" }, "NoAddress": func(p *Person) { p.Email = "ada" }, "WithAName": func(p *Person) { p.Email = "Ada <ada@example.com>" },
		"Unfolded": func(p *Person) { p.Email = "Ada@example.com" }, "TwoLines": func(p *Person) { p.Email = "ada@example.com\r\nBcc: x@example.com" },
		"NoName": func(p *Person) { p.Name = "" }, "LongName": func(p *Person) { p.Name = strings.Repeat("x", 101) }, "NoRole": func(p *Person) { p.Role = "" },
		"AnOperatorOfATenant": func(p *Person) { p.TenantID = "ten_a" }, "AViewerOfNone": func(p *Person) { p.Role = TenantViewer }, "NoState": func(p *Person) { p.State = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := good
			change(&p)
			if err := p.Validate(); pay.CodeOf(err) != pay.CodeBadRequest {
				t.Errorf("got %v", err)
			}
		})
	}
}
