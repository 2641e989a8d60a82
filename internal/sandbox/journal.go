package sandbox

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// journalLine is one line of the state file: the newest state of one thing. The last line about a thing is the truth.
//
// The file is a journal rather than one big snapshot because the price of a change must not grow with what is kept:
// a change costs its own bytes and one fsync that all requests waiting at that moment share. It is rewritten as a
// snapshot (temporary file, fsync, rename) at the start and whenever most of it is outdated.
type journalLine struct {
	Kind    string          `json:"k"` // object, idempotency, delivery or dials
	Account string          `json:"a,omitempty"`
	Seq     int64           `json:"n,omitempty"`
	Key     string          `json:"key,omitempty"`
	Value   json.RawMessage `json:"v"`

	text []byte // as read from the file, so that it need not be encoded again
}

func objectLine(r *record) journalLine {
	return journalLine{Kind: "object", Account: r.account.id, Seq: r.seq, Key: r.id, Value: encode(r.obj)}
}

type journal struct {
	path string
	lock *fileLock

	mu       sync.Mutex // guards the next three
	pending  []byte
	appended uint64
	lines    int

	sync   sync.Mutex // held by the one who writes
	file   *os.File
	synced uint64
	failed error
}

// append adds a line to what the next write takes along. The caller holds the server's lock, which keeps the order.
func (j *journal) append(line journalLine) {
	text := encode(line)
	j.mu.Lock()
	j.pending = append(append(j.pending, text...), '\n')
	j.appended++
	j.lines++
	j.mu.Unlock()
}

func (j *journal) ticket() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appended
}

// wait returns when everything up to the ticket is on disk. Whoever comes first writes for all who wait.
func (j *journal) wait(ticket uint64) error {
	j.sync.Lock()
	defer j.sync.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if j.synced >= ticket {
		return nil
	}
	return j.flush()
}

func (j *journal) flush() error {
	j.mu.Lock()
	text, upTo := j.pending, j.appended
	j.pending = nil
	j.mu.Unlock()
	if len(text) > 0 {
		if _, err := j.file.Write(text); err != nil {
			j.failed = err
			return err
		}
		if err := j.file.Sync(); err != nil {
			j.failed = err
			return err
		}
	}
	j.synced = upTo
	return nil
}

// wantsRewrite says whether most lines are outdated; the constant keeps small files from being rewritten all the time.
func (j *journal) wantsRewrite(live int) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines > 4*live+20000
}

// rewrite replaces the file by a snapshot, so that a crash leaves either the old or the new one.
func (j *journal) rewrite(lines []journalLine) error {
	j.sync.Lock()
	defer j.sync.Unlock()
	temporary, err := os.CreateTemp(filepath.Dir(j.path), filepath.Base(j.path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // of no effect once renamed
	w := bufio.NewWriterSize(temporary, 1<<20)
	for _, line := range lines {
		text := line.text
		if text == nil {
			text = encode(line)
		}
		w.Write(text) // the error stays with the writer until Flush
		w.WriteByte('\n')
	}
	if err := errors.Join(w.Flush(), temporary.Sync()); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := os.Rename(temporary.Name(), j.path); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := syncDir(filepath.Dir(j.path)); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if j.file != nil {
		j.file.Close() // replaced, nothing in it is needed
	}
	j.mu.Lock()
	j.file, j.lines, j.pending, j.synced = temporary, len(lines), nil, j.appended
	j.mu.Unlock()
	return nil
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (j *journal) close() error {
	j.sync.Lock()
	defer j.sync.Unlock()
	return errors.Join(j.flush(), j.file.Close(), j.lock.release())
}

// openJournal locks the file before it reads it, and keeps it locked until Close. The lock is on a file beside it, since
// a rewrite puts another file in its place.
func (s *Server) openJournal(path string) error {
	lock, err := lockFile(path + ".lock")
	if errors.Is(err, errLocked) {
		return fmt.Errorf("%s is in use by another sandbox, which holds %s.lock; stop that one or give this one a file of its own", path, path)
	}
	if err != nil {
		return err
	}
	if err := s.readJournal(path, lock); err != nil {
		s.journal = nil
		return errors.Join(err, lock.release())
	}
	return nil
}

// KeepIn keeps the state in a file from now on, as Options.StateFile does from the start. A file that is there already is
// not replaced.
func (s *Server) KeepIn(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		return fmt.Errorf("the state is kept in %s already", s.journal.path)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there already", path), err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	j := &journal{path: path, lock: lock}
	if err := j.rewrite(s.snapshot()); err != nil {
		return errors.Join(err, lock.release())
	}
	s.journal = j
	return nil
}

func (s *Server) readJournal(path string, lock *fileLock) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	lines, err := readLines(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range lines {
		if err := s.apply(line); err != nil {
			return fmt.Errorf("%s: %s %s: %w", path, line.Kind, line.Key, err)
		}
	}
	s.deliveries.requeue()
	s.journal = &journal{path: path, lock: lock}
	return s.journal.rewrite(lines)
}

// readLines returns the last line about each thing, objects in the order in which they were made. Only the last line of
// the file may be cut off, which is what a kill in the middle of a write leaves; nobody was told of what it would have
// said.
func readLines(text []byte) ([]journalLine, error) {
	var lines []journalLine
	place := map[string]int{}
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			break
		}
		text = rest
		entry := journalLine{text: line}
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, fmt.Errorf("line %d is not a line of a sandbox's state: %w", n, err)
		}
		thing := entry.Kind + " " + entry.Account + " " + entry.Key
		if at, known := place[thing]; known {
			lines[at] = entry
			continue
		}
		place[thing] = len(lines)
		lines = append(lines, entry)
	}
	slices.SortStableFunc(lines, func(a, b journalLine) int { return cmp.Compare(a.Seq, b.Seq) })
	return lines, nil
}

func (s *Server) apply(line journalLine) error {
	switch line.Kind {
	case "object":
		o, err := decodeObject(line.Value)
		if err != nil {
			return err
		}
		s.seq = max(s.seq, line.Seq)
		if lines, ok := o["_line_items"]; ok {
			o["_line_items"] = json.RawMessage(encode(lines))
		}
		r := &record{account: s.accountByID(line.Account), kind: str(o, "object"), id: str(o, "id"), seq: line.Seq, obj: o}
		s.place(r)
		if at, ok := dueAt(r); ok {
			s.timers.push(timer{at: at, id: r.id})
		}
		return nil
	case "idempotency":
		entry := &idemEntry{}
		if err := json.Unmarshal(line.Value, entry); err != nil {
			return err
		}
		s.accountByID(line.Account).idem[line.Key] = entry
		return nil
	case "delivery":
		d := &delivery{}
		if err := json.Unmarshal(line.Value, d); err != nil {
			return err
		}
		s.deliveries.restore(d)
		return nil
	case "dials":
		return json.Unmarshal(line.Value, &s.dials)
	}
	return fmt.Errorf("unknown kind %q; the file was written by a newer sandbox", line.Kind)
}

// snapshot is the whole state as lines, in the order in which load can rebuild it.
func (s *Server) snapshot() []journalLine {
	lines := []journalLine{{Kind: "dials", Value: encode(s.dials)}}
	now := s.unix()
	for _, a := range s.accountOrder {
		for key, entry := range a.idem {
			if entry.done() && !entry.outdated(now) {
				lines = append(lines, journalLine{Kind: "idempotency", Account: a.id, Key: key, Value: encode(entry)})
			}
		}
	}
	for _, r := range s.recordsInOrder() {
		lines = append(lines, objectLine(r))
	}
	for _, d := range s.deliveries.all {
		lines = append(lines, journalLine{Kind: "delivery", Key: d.ID, Value: encode(d)})
	}
	return lines
}
