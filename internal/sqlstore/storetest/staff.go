package storetest

import (
	"strings"
	"sync"
	"time"

	"github.com/portatill/portatill/internal/staff"
	"github.com/portatill/portatill/pay"
)

// person stores one of the staff.
func (b *bench) person(changes ...func(*staff.Person)) *staff.Person {
	b.Helper()
	p := &staff.Person{ID: pay.NewID("stf", Now), Name: "Ada Lovelace", Role: staff.Operator, State: staff.Active, PasswordHash: "$argon2id$…", CreatedAt: Now, UpdatedAt: Now}
	p.Email = p.ID + "@example.com"
	for _, change := range changes {
		change(p)
	}
	b.writeStaff(func(tx staff.Tx) error { return tx.InsertStaff(b.ctx, p) })
	return p
}

func (b *bench) writeStaff(fn func(tx staff.Tx) error) {
	b.Helper()
	if err := b.s.InStaffTx(b.ctx, fn); err != nil {
		b.Fatalf("transaction: %v", err)
	}
}

func (b *bench) session(p *staff.Person, hash string, at time.Time) *staff.Session {
	b.Helper()
	s := &staff.Session{IDHash: strings.Repeat(hash, 64), PersonID: p.ID, SignedInAt: at, FreshAt: at, LastSeenAt: at, Address: "192.0.2.1"}
	b.writeStaff(func(tx staff.Tx) error { return tx.InsertStaffSession(b.ctx, s) })
	return s
}

var staffCases = map[string]func(b *bench){
	"EveryFieldOfAPersonComesBack": func(b *bench) {
		want := b.person(func(p *staff.Person) {
			p.Role, p.TenantID, p.TOTPSecret, p.TOTPPending, p.LastTOTPStep, p.SignedInAt = staff.TenantAdmin, b.tenant.ID, "JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ", 7, Now
			p.OpenIDIssuer, p.OpenIDSubject = "https://login.example", "248289761001"
		})
		b.same("by id", want, must(b.s.StaffByID(b.ctx, want.ID)))
		b.same("by e-mail", want, must(b.s.StaffByEmail(b.ctx, want.Email)))
		b.same("by account", want, must(b.s.StaffByOpenID(b.ctx, want.OpenIDIssuer, want.OpenIDSubject)))
		want.Name, want.Role, want.TenantID, want.State, want.PasswordHash, want.UpdatedAt = "Ada King", staff.Operator, "", staff.Suspended, "$argon2id$x", Now.Add(time.Hour)
		want.TOTPSecret, want.TOTPPending, want.SignedInAt = "GEZDGNBVGY3TQOJQ", "", Now.Add(time.Minute)
		want.OpenIDIssuer, want.OpenIDSubject = "https://other.example", "aaa"
		b.writeStaff(func(tx staff.Tx) error { return tx.UpdateStaff(b.ctx, want) })
		b.same("updated", want, must(b.s.StaffByID(b.ctx, want.ID)))
		b.same("listed", []*staff.Person{want}, must(b.s.ListStaff(b.ctx)))
	},
	"AnUnknownPersonOrSessionIsNotFound": func(b *bench) {
		_, err := b.s.StaffByID(b.ctx, "stf_none")
		b.code(pay.CodeNotFound, err)
		_, err = b.s.StaffByEmail(b.ctx, "none@example.com")
		b.code(pay.CodeNotFound, err)
		_, err = b.s.StaffSession(b.ctx, "none")
		b.code(pay.CodeNotFound, err)
		b.code(pay.CodeNotFound, b.s.InStaffTx(b.ctx, func(tx staff.Tx) error { _, err := tx.LockStaff(b.ctx, "stf_none"); return err }))
	},
	"ATakenEmailIsAConflict": func(b *bench) {
		one := b.person()
		other := *one
		other.ID = "stf_other"
		b.code(pay.CodeConflict, b.s.InStaffTx(b.ctx, func(tx staff.Tx) error { return tx.InsertStaff(b.ctx, &other) }))
	},
	"AnAccountOfAProviderIsOnePersonsAndPeopleWithoutOneAreNotFoundByIt": func(b *bench) {
		one, two := b.person(), b.person()
		for _, pair := range [][2]string{{"", ""}, {"https://login.example", ""}, {"https://login.example", "1"}} {
			_, err := b.s.StaffByOpenID(b.ctx, pair[0], pair[1])
			b.code(pay.CodeNotFound, err)
		}
		one.OpenIDIssuer, one.OpenIDSubject = "https://login.example", "1"
		b.writeStaff(func(tx staff.Tx) error { return tx.UpdateStaff(b.ctx, one) })
		b.refused("a second person with the account", `UPDATE staff SET openid_issuer = 'https://login.example', openid_subject = '1' WHERE id = $1`, two.ID)
		b.refused("an issuer without a subject", `UPDATE staff SET openid_issuer = 'https://login.example' WHERE id = $1`, two.ID)
		_, err := b.s.StaffByOpenID(b.ctx, "https://login.example/", "1")
		b.code(pay.CodeNotFound, err)
	},
	"OnlyOperatorsAreWithoutATenant": func(b *bench) {
		p := b.person()
		b.refused("an operator with a tenant", `UPDATE staff SET tenant_id = $2 WHERE id = $1`, p.ID, b.tenant.ID)
		b.refused("a viewer without one", `UPDATE staff SET role = 'tenant_viewer' WHERE id = $1`, p.ID)
		b.refused("an unknown role", `UPDATE staff SET role = 'king' WHERE id = $1`, p.ID)
	},
	"TheAppsSecretIsNotReadableInTheDatabase": func(b *bench) {
		p := b.person(func(p *staff.Person) { p.TOTPSecret, p.TOTPPending = "JBSWY3DPEHPK3PXP", "GEZDGNBVGY3TQOJQ" })
		var secret, pending string
		if err := b.s.DB().QueryRowContext(b.ctx, `SELECT totp_secret, totp_pending FROM staff WHERE id = $1`, p.ID).Scan(&secret, &pending); err != nil {
			b.Fatal(err)
		}
		for _, stored := range []string{secret, pending} {
			if !strings.HasPrefix(stored, "v1.") || strings.Contains(stored, "JBSWY3DP") || strings.Contains(stored, "GEZDGNBV") {
				b.Errorf("it is stored as %s", stored)
			}
		}
		if _, err := b.s.DB().ExecContext(b.ctx, `UPDATE staff SET totp_secret = totp_pending WHERE id = $1`, p.ID); err != nil {
			b.Fatal(err)
		}
		if _, err := b.s.StaffByID(b.ctx, p.ID); err == nil {
			b.Error("a secret that was moved to another column decrypts")
		}
	},
	"ATOTPStepIsTakenOnceHoweverManyAtOnce": func(b *bench) {
		p := b.person()
		var wait sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for range 8 {
			wait.Go(func() {
				var good bool
				err := b.s.InStaffTx(b.ctx, func(tx staff.Tx) (err error) { good, err = tx.TakeTOTPStep(b.ctx, p.ID, 41); return err })
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					b.Error(err)
				}
				if good {
					taken++
				}
			})
		}
		wait.Wait()
		if taken != 1 {
			b.Errorf("it was taken %d times", taken)
		}
		b.writeStaff(func(tx staff.Tx) error {
			if good, err := tx.TakeTOTPStep(b.ctx, p.ID, 40); err != nil || good {
				b.Errorf("an earlier step: %v, %v", good, err)
			}
			return nil
		})
	},
	"ARecoveryCodeIsGoodOnce": func(b *bench) {
		p, other := b.person(), b.person()
		one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
		take := func(id, hash string) (good bool) {
			b.writeStaff(func(tx staff.Tx) (err error) { good, err = tx.TakeRecoveryCode(b.ctx, id, hash, Now); return err })
			return good
		}
		b.writeStaff(func(tx staff.Tx) error { return tx.ReplaceRecoveryCodes(b.ctx, p.ID, []string{one, two}, Now) })
		if take(other.ID, one) || !take(p.ID, one) || take(p.ID, one) || take(p.ID, strings.Repeat("3", 64)) {
			b.Error("a code was good for somebody else, twice, or though unknown")
		}
		if n := must(b.s.RecoveryCodesLeft(b.ctx, p.ID)); n != 1 {
			b.Errorf("%d codes are left", n)
		}
		b.writeStaff(func(tx staff.Tx) error { return tx.ReplaceRecoveryCodes(b.ctx, p.ID, nil, Now) })
		if take(p.ID, two) {
			b.Error("a code that was replaced is good")
		}
	},
	"SessionsEndOneByOneTogetherAndByAge": func(b *bench) {
		p, other := b.person(), b.person()
		one, two, hers := b.session(p, "a", Now), b.session(p, "b", Now.Add(time.Minute)), b.session(other, "c", Now)
		b.same("one", one, must(b.s.StaffSession(b.ctx, one.IDHash)))
		b.same("listed", []*staff.Session{two, one}, must(b.s.ListStaffSessions(b.ctx, p.ID)))
		if err := b.s.SeeStaffSession(b.ctx, one.IDHash, Now.Add(time.Hour)); err != nil {
			b.Fatal(err)
		}
		b.writeStaff(func(tx staff.Tx) error { return tx.RefreshStaffSession(b.ctx, one.IDHash, Now.Add(2*time.Hour)) })
		one.LastSeenAt, one.FreshAt = Now.Add(time.Hour), Now.Add(2*time.Hour)
		b.same("seen and refreshed", one, must(b.s.StaffSession(b.ctx, one.IDHash)))
		b.writeStaff(func(tx staff.Tx) error { return tx.EndStaffSessions(b.ctx, p.ID, one.IDHash) })
		b.same("all but one ended", []*staff.Session{one}, must(b.s.ListStaffSessions(b.ctx, p.ID)))
		b.writeStaff(func(tx staff.Tx) error { return tx.EndStaffSession(b.ctx, one.IDHash) })
		_, err := b.s.StaffSession(b.ctx, one.IDHash)
		b.code(pay.CodeNotFound, err)
		b.same("another person's", hers, must(b.s.StaffSession(b.ctx, hers.IDHash)))
		b.writeStaff(func(tx staff.Tx) error { return tx.ForgetStaffSessions(b.ctx, Now, Now.Add(-time.Hour)) })
		_, err = b.s.StaffSession(b.ctx, hers.IDHash)
		b.code(pay.CodeNotFound, err)
	},
	"TheAuditLogIsFilteredAndPaged": func(b *bench) {
		var all []*staff.Entry
		for i, actor := range []string{"stf_a", "stf_b", "stf_a", staff.Command} {
			at := Now.Add(time.Duration(i) * time.Hour)
			e := &staff.Entry{ID: pay.NewID("aud", at), At: at, Actor: actor, What: "sign_in", Subject: "stf_a", Refused: i == 1, Before: "was", After: "is", Address: "192.0.2.1"}
			if i < 2 {
				e.TenantID = b.tenant.ID
			}
			b.writeStaff(func(tx staff.Tx) error { return tx.AppendAudit(b.ctx, e) })
			all = append([]*staff.Entry{e}, all...)
		}
		b.same("all", all, must(b.s.ListAudit(b.ctx, staff.EntryFilter{})))
		b.same("of one person", []*staff.Entry{all[1], all[3]}, must(b.s.ListAudit(b.ctx, staff.EntryFilter{Actor: "stf_a"})))
		b.same("of one tenant", all[2:], must(b.s.ListAudit(b.ctx, staff.EntryFilter{TenantID: b.tenant.ID})))
		b.same("of a time", all[1:3], must(b.s.ListAudit(b.ctx, staff.EntryFilter{From: Now.Add(time.Hour), Until: Now.Add(3 * time.Hour)})))
		b.same("a page", all[1:3], must(b.s.ListAudit(b.ctx, staff.EntryFilter{Before: all[0].ID, Limit: 2})))
	},
	"TheAuditLogIsAppendOnly": func(b *bench) {
		b.writeStaff(func(tx staff.Tx) error {
			return tx.AppendAudit(b.ctx, &staff.Entry{ID: "aud_1", At: Now, Actor: "stf_a", What: "refund"})
		})
		for what, query := range map[string]string{"a change": `UPDATE audit_log SET actor = 'stf_b'`, "a removal": `DELETE FROM audit_log`} {
			if said := b.refused(what+" of the audit log", query); !strings.Contains(said, "append-only") {
				b.Errorf("%s: the database says %s", what, said)
			}
		}
		b.code(pay.CodeConflict, b.s.InStaffTx(b.ctx, func(tx staff.Tx) error {
			return tx.AppendAudit(b.ctx, &staff.Entry{ID: "aud_1", At: Now, What: "sign_in"})
		}))
	},
}
