package sandbox

import "container/heap"

// timer says that something about an object is due at a time, in Unix milliseconds.
type timer struct {
	at int64
	id string
}

type timerHeap struct{ list timerList }

type timerList []timer

func (l timerList) Len() int           { return len(l) }
func (l timerList) Less(i, j int) bool { return l[i].at < l[j].at }
func (l timerList) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *timerList) Push(x any)        { *l = append(*l, x.(timer)) }
func (l *timerList) Pop() any {
	last := len(*l) - 1
	t := (*l)[last]
	*l = (*l)[:last]
	return t
}

func (h *timerHeap) push(t timer) { heap.Push(&h.list, t) }

// next returns the earliest time that something is due, or 0.
func (h *timerHeap) next() int64 {
	if len(h.list) == 0 {
		return 0
	}
	return h.list[0].at
}

// dueAt says when time alone will change an object. Asked again when the time has come, because the object may have
// moved on.
func dueAt(r *record) (int64, bool) {
	switch {
	case r.kind == "checkout.session" && str(r.obj, "status") == "open":
		return num(r.obj, "expires_at") * 1000, true
	case r.kind == "payment_intent" && str(r.obj, "status") == "processing":
		at, waiting := r.obj["_settle_at_ms"].(int64)
		return at, waiting
	case r.kind == "balance_transaction" && str(r.obj, "status") == "pending":
		return num(r.obj, "available_on") * 1000, true
	case r.kind == "refund", r.kind == "dispute" && str(r.obj, "_verdict") != "":
		at, waiting := r.obj["_settle_at_ms"].(int64)
		return at, waiting
	}
	return 0, false
}

// runDue does everything whose time has come. The caller holds the lock.
func (s *Server) runDue() {
	nowMs := s.now().UnixMilli()
	for len(s.timers.list) > 0 && s.timers.next() <= nowMs {
		t := heap.Pop(&s.timers.list).(timer)
		r := s.records[t.id]
		if r == nil {
			continue
		}
		if at, ok := dueAt(r); !ok || at > nowMs {
			continue
		}
		c := s.background(r.account)
		switch r.kind {
		case "checkout.session":
			c.expireSession(r)
		case "payment_intent":
			c.finishDebit(r, str(r.obj, "_debit_failure"))
		case "balance_transaction":
			r.obj["status"] = "available"
			s.touch(r)
		case "refund":
			c.finishRefund(r, str(r.obj, "_refund_failure"))
		case "dispute":
			c.closeDispute(r, str(r.obj, "_verdict"))
		}
	}
}
