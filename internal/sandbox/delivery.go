package sandbox

import (
	"bytes"
	"container/heap"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Deliveries: https://stripe.com/docs/webhooks#delivery-behaviors. At Stripe retries go on for days; here the first comes
// after a second and each later one after twice the time.
const (
	mostAttempts      = 10
	firstRetryMs      = 1000
	longestRetryMs    = 5 * 60 * 1000
	atOnce            = 16 // deliveries under way at the same time
	reorderMostMs     = 3000
	keptDeliveries    = 1000 // finished ones, for the sandbox's page
	longestRunPauseMs = 1000 // so that a clock that is set by hand is noticed
)

// delivery is one event on its way to one endpoint.
type delivery struct {
	ID       string `json:"id"`
	Account  string `json:"account"`
	Event    string `json:"event"`
	Endpoint string `json:"endpoint"`
	State    string `json:"state"` // pending, delivered, failed or dropped
	NextMs   int64  `json:"next_ms"`
	Attempts int    `json:"attempts"`
	Status   int    `json:"status,omitempty"` // of the last answer
	Error    string `json:"error,omitempty"`
	Copy     bool   `json:"copy,omitempty"` // made by the duplicate dial or by resend
}

type deliveryQueue struct {
	all     []*delivery
	waiting deliveryHeap
	under   int // being sent now
}

type deliveryHeap []*delivery

func (h deliveryHeap) Len() int           { return len(h) }
func (h deliveryHeap) Less(i, j int) bool { return h[i].NextMs < h[j].NextMs }
func (h deliveryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *deliveryHeap) Push(x any)        { *h = append(*h, x.(*delivery)) }
func (h *deliveryHeap) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	*h = (*h)[:last]
	return d
}

// restore takes a delivery out of the state file.
func (q *deliveryQueue) restore(d *delivery) {
	q.all = append(q.all, d)
}

// requeue finds what is still to be sent, once after loading.
func (q *deliveryQueue) requeue() {
	for _, d := range q.all {
		if d.State == "pending" {
			q.waiting = append(q.waiting, d)
		}
	}
	heap.Init(&q.waiting)
}

func (s *Server) saveDelivery(d *delivery) {
	if s.journal != nil {
		s.pendingLines = append(s.pendingLines, journalLine{Kind: "delivery", Key: d.ID, Value: encode(d)})
	}
}

func (s *Server) addDelivery(d *delivery) {
	q := &s.deliveries
	q.all = append(q.all, d)
	if d.State == "pending" {
		heap.Push(&q.waiting, d)
	}
	s.saveDelivery(d)
	if len(q.all) < 2*keptDeliveries {
		return
	}
	// Let go of the oldest that are finished.
	kept, surplus := q.all[:0], len(q.all)-keptDeliveries
	for _, d := range q.all {
		if surplus > 0 && d.State != "pending" {
			surplus--
			continue
		}
		kept = append(kept, d)
	}
	clear(q.all[len(kept):])
	q.all = kept
}

// queueDelivery plans the sending of an event, as the dials have it.
func (c *call) queueDelivery(event, endpoint *record) {
	at := c.Server.now().UnixMilli() + c.dials.DelayMs
	plan := func(state string, at int64, isCopy bool) {
		c.addDelivery(&delivery{ID: "whd_" + randomText(16), Account: c.account.id, Event: event.id, Endpoint: endpoint.id, State: state, NextMs: at, Copy: isCopy})
	}
	if rand.Float64() < c.dials.Drop {
		plan("dropped", at, false)
		return
	}
	if rand.Float64() < c.dials.Reorder {
		at += 1 + rand.Int64N(reorderMostMs)
	}
	plan("pending", at, false)
	if rand.Float64() < c.dials.Duplicate {
		plan("pending", at+rand.Int64N(200), true)
	}
}

// resend queues an event again for every endpoint that wants it, and says how many those are.
func (c *call) resend(event *record) int {
	n := 0
	for _, endpoint := range c.account.kinds["webhook_endpoint"] {
		if wants(endpoint.obj, str(event.obj, "type")) {
			c.addDelivery(&delivery{ID: "whd_" + randomText(16), Account: c.account.id, Event: event.id, Endpoint: endpoint.id, State: "pending", NextMs: c.Server.now().UnixMilli(), Copy: true})
			n++
		}
	}
	return n
}

// outgoing is what one attempt needs, taken out of the state so that the lock is not held while the network is slow.
type outgoing struct {
	delivery *delivery
	url      string
	secret   string
	body     []byte
}

// Run sends webhooks and lets time do its work (debits settle, sessions expire) until ctx ends; it then waits for
// the deliveries under way. It returns ctx's error.
func (s *Server) Run(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		var batch []outgoing
		var pause time.Duration
		err := s.do(func() {
			batch = s.takeDue()
			pause = s.pauseLocked()
		})
		if err != nil {
			s.log.Error("sandbox state file cannot be written", "error", err)
		}
		for _, out := range batch {
			sending.Go(func() { s.send(ctx, out) })
		}
		// do wakes Run; what it did itself is no news.
		select {
		case <-s.wake:
		default:
		}
		if s.moreDue() {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-time.After(pause):
		}
	}
}

// Deliver sends what is due now, waits for the answers, and returns when nothing more is due: Run for whoever has a clock
// that stands still between two steps. What fails is due again later, by that clock.
func (s *Server) Deliver(ctx context.Context) error {
	for {
		var batch []outgoing
		if err := s.do(func() { batch = s.takeDue() }); err != nil {
			return err
		}
		if len(batch) == 0 {
			return ctx.Err()
		}
		var sending sync.WaitGroup
		for _, out := range batch {
			sending.Go(func() { s.send(ctx, out) })
		}
		sending.Wait()
	}
}

func (s *Server) moreDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := &s.deliveries
	return q.under < atOnce && len(q.waiting) > 0 && q.waiting[0].NextMs <= s.now().UnixMilli()
}

func (s *Server) pauseLocked() time.Duration {
	next := s.timers.next()
	q := &s.deliveries
	if len(q.waiting) > 0 && q.under < atOnce && (next == 0 || q.waiting[0].NextMs < next) {
		next = q.waiting[0].NextMs
	}
	wait := int64(longestRunPauseMs)
	if next != 0 {
		wait = min(wait, max(next-s.now().UnixMilli(), 1))
	}
	return time.Duration(wait) * time.Millisecond
}

func (s *Server) takeDue() []outgoing {
	q := &s.deliveries
	nowMs := s.now().UnixMilli()
	var batch []outgoing
	for q.under < atOnce && len(q.waiting) > 0 && q.waiting[0].NextMs <= nowMs {
		d := heap.Pop(&q.waiting).(*delivery)
		event, endpoint := s.records[d.Event], s.records[d.Endpoint]
		if event == nil || endpoint == nil || str(endpoint.obj, "status") != "enabled" {
			d.State, d.Error = "failed", "the endpoint was removed or switched off"
			s.saveDelivery(d)
			continue
		}
		q.under++
		batch = append(batch, outgoing{delivery: d, url: str(endpoint.obj, "url"), secret: str(endpoint.obj, "_secret"), body: eventBody(event.obj, endpoint.obj)})
	}
	return batch
}

// eventBody is the text that is signed: indented, as Stripe sends it, and in the endpoint's API version by name.
func eventBody(event, endpoint object) []byte {
	shown := visible(event)
	if version := str(endpoint, "api_version"); version != "" {
		shown = maps.Clone(shown)
		shown["api_version"] = version
	}
	var body bytes.Buffer
	if err := json.Indent(&body, encode(shown), "", "  "); err != nil {
		panic(fmt.Sprintf("sandbox: an event is not JSON: %v", err)) // encode has just made it
	}
	return body.Bytes()
}

// Signature is the Stripe-Signature header for a payload, https://stripe.com/docs/webhooks#verify-manually.
func Signature(payload []byte, secret string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(payload)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (s *Server) send(ctx context.Context, out outgoing) {
	status, failed := s.post(ctx, out)
	d := out.delivery
	event, endpoint := d.Event, d.Endpoint // these two never change
	err := s.do(func() {
		q := &s.deliveries
		q.under--
		d.Status, d.Error = status, ""
		if failed != nil {
			d.Error = failed.Error()
		}
		if ctx.Err() != nil && failed != nil {
			heap.Push(&q.waiting, d) // shutting down is not the endpoint's fault
			return
		}
		d.Attempts++
		switch {
		case status >= 200 && status < 300:
			d.State = "delivered"
			s.countDelivered(d)
		case d.Attempts >= mostAttempts:
			d.State = "failed"
		default:
			d.NextMs = s.now().UnixMilli() + min(int64(firstRetryMs)<<(d.Attempts-1), longestRetryMs)
			heap.Push(&q.waiting, d)
		}
		s.saveDelivery(d)
	})
	if err != nil {
		s.log.Error("sandbox state file cannot be written", "error", err)
	}
	s.log.Debug("sandbox webhook", "event", event, "endpoint", endpoint, "status", status, "error", failed)
}

func (s *Server) countDelivered(d *delivery) {
	if event := s.records[d.Event]; event != nil && !d.Copy && num(event.obj, "pending_webhooks") > 0 {
		event.obj["pending_webhooks"] = num(event.obj, "pending_webhooks") - 1
		s.touch(event)
	}
}

func (s *Server) post(ctx context.Context, out outgoing) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, out.url, bytes.NewReader(out.body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	request.Header.Set("Stripe-Signature", Signature(out.body, out.secret, s.now()))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // read to the end so that the connection can be used again
	return response.StatusCode, nil
}
