package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are what a Server needs from outside; the zero value is a sandbox in memory.
type Options struct {
	// BaseURL is the address that browsers reach the sandbox at, for the links to the hosted pages. Empty: the Host of
	// the request that makes the link.
	BaseURL string
	// StateFile keeps the state over a restart, also over kill -9. Empty: memory only. A lock beside it (its name and
	// .lock) keeps a second sandbox away until Close or the end of the process.
	StateFile string
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log receives one line per request and per delivery; nil is silent.
	Log *slog.Logger
	// HTTPClient delivers webhooks; nil is a client with a time limit of 15 seconds that follows no redirect.
	HTTPClient *http.Client
}

// Server is a sandbox. It is safe for concurrent use.
type Server struct {
	baseURL string
	now     func() time.Time
	log     *slog.Logger
	client  *http.Client
	handler http.Handler
	params  paramTable
	wake    chan struct{} // tells Run that there is something new to deliver or to wait for

	mu           sync.Mutex // guards everything below
	accounts     map[string]*account
	accountOrder []*account
	records      map[string]*record
	seq          int64
	changed      []*record
	pendingLines []journalLine
	dials        Dials
	timers       timerHeap
	deliveries   deliveryQueue
	journal      *journal // nil without a state file
}

// New makes a sandbox and reads its state file, when it has one; that another sandbox uses the file is an error. Call Run for webhooks to be sent and Close at the end.
func New(o Options) (*Server, error) {
	if o.BaseURL != "" && !strings.HasPrefix(o.BaseURL, "http://") && !strings.HasPrefix(o.BaseURL, "https://") {
		return nil, fmt.Errorf("sandbox base URL %q must begin with http:// or https://", o.BaseURL)
	}
	s := &Server{
		baseURL: strings.TrimSuffix(o.BaseURL, "/"), now: o.Now, log: o.Log, client: o.HTTPClient,
		params: loadParams(), wake: make(chan struct{}, 1),
		accounts: map[string]*account{}, records: map[string]*record{}, dials: defaultDials(),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.client == nil {
		s.client = &http.Client{
			Timeout:       15 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if o.StateFile != "" {
		if err := s.openJournal(o.StateFile); err != nil {
			return nil, fmt.Errorf("sandbox state file: %w", err)
		}
	}
	s.handler = s.routes()
	return s, nil
}

// Handler serves the API, the hosted pages and the sandbox's own pages.
func (s *Server) Handler() http.Handler { return s.handler }

// Close writes what is still unwritten and lets go of the state file. The sandbox must not be used afterwards.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	_, err := s.commitLocked()
	err = errors.Join(err, s.journal.close())
	s.journal = nil
	return err
}

// signal wakes Run; it never blocks.
func (s *Server) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// do runs one change of state under the lock and returns when it is on disk. Everything that is due happens first, so
// that an expired session is expired for whoever looks at it, even without Run.
func (s *Server) do(change func()) error {
	ticket, journal, err := s.changeLocked(change)
	s.signal()
	if err != nil || journal == nil {
		return err
	}
	return journal.wait(ticket)
}

// changeLocked gives the lock back even if change panics, so that one bad request does not stop all others.
func (s *Server) changeLocked(change func()) (uint64, *journal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	change()
	ticket, err := s.commitLocked()
	return ticket, s.journal, err
}

// commitLocked hands what changed to the journal and to the timers.
func (s *Server) commitLocked() (uint64, error) {
	for _, r := range s.changed {
		r.dirty = false
		if at, ok := dueAt(r); ok {
			s.timers.push(timer{at: at, id: r.id})
		}
	}
	defer func() {
		s.changed = s.changed[:0]
		s.pendingLines = s.pendingLines[:0]
	}()
	if s.journal == nil || len(s.changed)+len(s.pendingLines) == 0 {
		return 0, nil
	}
	for _, r := range s.changed {
		s.journal.append(objectLine(r))
	}
	for _, line := range s.pendingLines {
		s.journal.append(line)
	}
	if s.journal.wantsRewrite(len(s.records)) {
		if err := s.journal.rewrite(s.snapshot()); err != nil {
			return 0, err
		}
	}
	return s.journal.ticket(), nil
}

func (s *Server) unix() int64 { return s.now().Unix() }

// base is the address links are built from.
func (s *Server) base(r *http.Request) string {
	if s.baseURL != "" || r == nil {
		return s.baseURL
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}
