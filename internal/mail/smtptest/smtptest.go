// Package smtptest is an SMTP server in the process of a test: a real listener that speaks
// RFC 5321 with STARTTLS or TLS, AUTH PLAIN and LOGIN, keeps what it is given, and can be
// told to refuse, to stall or to hang up at any step. Nothing but tests may import it.
package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say what the server is like. The zero value takes everything from everybody in
// the clear.
type Options struct {
	TLS            bool   // from the first byte
	StartTLS       bool   // offered
	User, Password string // "" lets everybody in
	Mechanisms     string // of AUTH; "" means "PLAIN LOGIN"
}

// Mail is what the server was given.
type Mail struct {
	From string
	To   []string
	Data string // as it came, with CRLF
	TLS  bool
	User string // who signed in
}

// Server is a running one.
type Server struct {
	Addr  string
	Roots *x509.CertPool // what its certificate is good for; nil without TLS

	options  Options
	config   *tls.Config
	listener net.Listener
	done     sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	mails   []Mail
	seen    []string
	replies map[string][]string
	stall   map[string]chan struct{}
	arrived chan struct{}
}

// Start starts a server on a free port of this machine. Close ends it.
func Start(o Options) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), options: o, listener: l, conns: map[net.Conn]bool{}, replies: map[string][]string{},
		stall: map[string]chan struct{}{}, arrived: make(chan struct{}, 1000)}
	if o.TLS || o.StartTLS {
		if err := s.certify(); err != nil {
			l.Close()
			return nil, err
		}
	}
	s.done.Go(s.accept)
	return s, nil
}

func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(made)
	s.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return nil
}

// Close ends the server and every conversation.
func (s *Server) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	for _, released := range s.stall {
		close(released)
	}
	s.stall = map[string]chan struct{}{}
	s.mu.Unlock()
	s.done.Wait()
}

// Answer makes the server answer a step (greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA,
// or ".", the end of a message) with these replies, one for each time, then as usual. The
// reply "hang up" closes the connection instead; before "." it does so after it has taken
// the message, as a crash or a broken network would.
func (s *Server) Answer(step string, replies ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies[step] = append(s.replies[step], replies...)
}

// Stall makes the server say nothing at a step until the test ends.
func (s *Server) Stall(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stall[step] = make(chan struct{})
}

// Mails are what it took.
func (s *Server) Mails() []Mail { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.mails) }

// Seen are the commands that came, without their arguments.
func (s *Server) Seen() []string { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.seen) }

// Wait returns when another mail was taken, or false when none was for so long.
func (s *Server) Wait(most time.Duration) bool {
	select {
	case <-s.arrived:
		return true
	case <-time.After(most):
		return false
	}
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.done.Go(func() {
			defer c.Close()
			if s.options.TLS {
				c = tls.Server(c, s.config)
			}
			t := &talk{server: s, conn: c, in: bufio.NewReader(c), secure: s.options.TLS}
			t.run()
		})
	}
}

// talk is one conversation.
type talk struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	secure bool
	user   string
	mail   Mail
}

// say answers a step as the test wants it, or as usual; false ends the conversation.
func (t *talk) say(step, usual string) bool {
	s := t.server
	s.mu.Lock()
	stalled := s.stall[step]
	reply := usual
	if planned := s.replies[step]; len(planned) > 0 {
		reply, s.replies[step] = planned[0], planned[1:]
	}
	s.mu.Unlock()
	if stalled != nil {
		<-stalled
		return false
	}
	if reply == "hang up" {
		return false
	}
	_, err := t.conn.Write([]byte(reply + "\r\n"))
	return err == nil && (reply == usual || !strings.HasPrefix(reply, "421"))
}

// planned says whether the next reply to a step is one of the test's.
func (t *talk) planned(step string) bool {
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	return len(t.server.replies[step]) > 0
}

func (t *talk) line() (string, bool) {
	text, err := t.in.ReadString('\n')
	return strings.TrimRight(text, "\r\n"), err == nil
}

func (t *talk) run() {
	if !t.say("greeting", "220 smtp.example ESMTP") {
		return
	}
	for {
		command, ok := t.line()
		if !ok {
			return
		}
		verb, rest, _ := strings.Cut(command, " ")
		verb = strings.ToUpper(verb)
		t.server.mu.Lock()
		t.server.seen = append(t.server.seen, verb)
		t.server.mu.Unlock()
		if !t.do(verb, rest) {
			return
		}
	}
}

func (t *talk) do(verb, rest string) bool {
	o := t.server.options
	switch verb {
	case "EHLO", "HELO":
		return t.hello()
	case "STARTTLS":
		if !o.StartTLS || !t.say("STARTTLS", "220 go ahead") {
			return false
		}
		secure := tls.Server(t.conn, t.server.config)
		if secure.Handshake() != nil {
			return false
		}
		t.conn, t.in, t.secure = secure, bufio.NewReader(secure), true
		return true
	case "AUTH":
		return t.signIn(rest)
	case "MAIL":
		if o.User != "" && t.user == "" {
			return t.say("MAIL", "530 5.7.0 sign in first")
		}
		t.mail = Mail{From: between(rest), TLS: t.secure, User: t.user}
		return t.say("MAIL", "250 2.1.0 ok")
	case "RCPT":
		t.mail.To = append(t.mail.To, between(rest))
		return t.say("RCPT", "250 2.1.5 ok")
	case "DATA":
		refused := t.planned("DATA")
		if !t.say("DATA", "354 go on") {
			return false
		}
		return refused || t.data()
	case "RSET", "NOOP":
		return t.say(verb, "250 ok")
	case "QUIT":
		t.say("QUIT", "221 bye")
		return false
	}
	return t.say(verb, "502 5.5.1 no such command")
}

func (t *talk) hello() bool {
	lines := []string{"250-smtp.example"}
	if t.server.options.StartTLS && !t.secure {
		lines = append(lines, "250-STARTTLS")
	}
	if t.server.options.User != "" {
		mechanisms := t.server.options.Mechanisms
		if mechanisms == "" {
			mechanisms = "PLAIN LOGIN"
		}
		lines = append(lines, "250-AUTH "+mechanisms)
	}
	return t.say("EHLO", strings.Join(append(lines, "250-8BITMIME", "250 ENHANCEDSTATUSCODES"), "\r\n"))
}

// signIn speaks PLAIN (RFC 4616) and LOGIN.
func (t *talk) signIn(rest string) bool {
	mechanism, initial, _ := strings.Cut(rest, " ")
	user, password := "", ""
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		raw, _ := base64.StdEncoding.DecodeString(initial)
		if parts := strings.Split(string(raw), "\x00"); len(parts) == 3 {
			user, password = parts[1], parts[2]
		}
	case "LOGIN":
		for _, ask := range []struct {
			word string
			to   *string
		}{{"Username:", &user}, {"Password:", &password}} {
			if !t.say("AUTH LOGIN", "334 "+base64.StdEncoding.EncodeToString([]byte(ask.word))) {
				return false
			}
			text, ok := t.line()
			if !ok {
				return false
			}
			raw, _ := base64.StdEncoding.DecodeString(text)
			*ask.to = string(raw)
		}
	default:
		return t.say("AUTH", "504 5.5.4 no such mechanism")
	}
	if user != t.server.options.User || password != t.server.options.Password {
		return t.say("AUTH", "535 5.7.8 the credentials of "+user+" are not good")
	}
	t.user = user
	return t.say("AUTH", "235 2.7.0 welcome")
}

func (t *talk) data() bool {
	var b strings.Builder
	for {
		text, err := t.in.ReadString('\n')
		if err != nil {
			return false
		}
		if text == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(text, "."))
	}
	t.mail.Data = b.String()
	s := t.server
	s.mu.Lock()
	taken := len(s.replies["."]) == 0 || s.replies["."][0] == "hang up"
	if taken {
		s.mails = append(s.mails, t.mail)
	}
	s.mu.Unlock()
	if taken {
		s.arrived <- struct{}{}
	}
	return t.say(".", "250 2.0.0 queued as 4711")
}

// between is the address of MAIL FROM:<…> or RCPT TO:<…>.
func between(text string) string {
	_, rest, _ := strings.Cut(text, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
