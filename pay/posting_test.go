package pay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/portatill/portatill/internal/sqlstore"
	"github.com/portatill/portatill/internal/sqlstore/storetest"
	"github.com/portatill/portatill/pay"
)

func TestAPostingIsMarkedOnceAndItsStoryTellsWhy(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB) *sqlstore.Store) {
		s, ctx := open(t), context.Background()
		tenant := storetest.Tenant(t, s)
		o := storetest.Order(t, s, storetest.Customer(t, s, tenant.ID))
		p := storetest.Pay(t, s, o, storetest.Attempt(t, s, o)).Posting
		service := &pay.Service{Store: s, Now: func() time.Time { return storetest.Now }}
		in := pay.MarkPosted{TenantID: tenant.ID, ID: p.ID, From: pay.PostingPending, Reason: " entered by hand ", Cause: pay.Cause{Kind: pay.CauseStaff, ID: "stf_1"}}
		for want, change := range map[pay.Code]func(*pay.MarkPosted){
			pay.CodeNotEmpty: func(m *pay.MarkPosted) { m.Reason = " " },
			pay.CodeTooLong:  func(m *pay.MarkPosted) { m.Reason = strings.Repeat("a", 501) },
			pay.CodeNotFound: func(m *pay.MarkPosted) { m.TenantID = "ten_other" },
			pay.CodeConflict: func(m *pay.MarkPosted) { m.From = pay.PostingRefused },
		} {
			bad := in
			change(&bad)
			if _, err := service.MarkPosted(ctx, bad); pay.CodeOf(err) != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		atOnce(t, 8, func(int) error {
			_, err := service.MarkPosted(ctx, in)
			if pay.CodeOf(err) == pay.CodeConflict { // the other was faster by a hair
				return nil
			}
			return err
		})
		now, err := s.PostingByID(ctx, tenant.ID, p.ID)
		if err != nil || now.State != pay.PostingPosted {
			t.Errorf("it is %+v, %v", now, err)
		}
		story, err := s.ListStory(ctx, tenant.ID, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, l := range story {
			if l.What == "posting.marked" {
				told++
				if l.Cause != in.Cause || l.Detail != p.ID+" pending → posted: entered by hand" {
					t.Errorf("the story tells %+v", l)
				}
			}
		}
		if told != 1 {
			t.Errorf("the story tells it %d times", told)
		}
		sending := &pay.Posting{ID: pay.NewID("pst", storetest.Now), TenantID: tenant.ID, Kind: pay.PostingDispute, SubjectID: "dsp_1", Amount: p.Amount, State: pay.PostingSending, CreatedAt: storetest.Now, UpdatedAt: storetest.Now}
		storetest.Write(t, s, func(ctx context.Context, tx pay.Tx) error { return tx.InsertPosting(ctx, sending) })
		in.ID, in.From = sending.ID, ""
		if _, err := service.MarkPosted(ctx, in); pay.CodeOf(err) != pay.CodeConflict {
			t.Errorf("one that is being sent: %v", err)
		}
	})
}
