package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/portatill/portatill/pay"
)

// Settings are how mails leave.
type Settings struct {
	Address  string // host:port
	User     string // "" when nobody signs in
	Password pay.Secret
	TLS      string // starttls, tls or none
	From     string // the address that mails come from
	// Roots are the authorities that the server's certificate may be of; nil: the
	// system's.
	Roots *x509.CertPool
	// Timeout is how long the server may take for a step; 0 means 30 s.
	Timeout time.Duration
}

// Sender speaks to the SMTP server. Its methods are safe for concurrent use; each call is
// a connection of its own.
type Sender struct{ settings Settings }

// NewSender returns a sender, or nil when the settings name no server.
func NewSender(s Settings) *Sender {
	if s.Address == "" {
		return nil
	}
	if s.Timeout == 0 {
		s.Timeout = 30 * time.Second
	}
	return &Sender{s}
}

// The steps of a conversation in which something can go wrong.
const (
	StepConnect   = "connect"
	StepTLS       = "tls"
	StepGreeting  = "greeting"
	StepSignIn    = "sign in"
	StepSender    = "sender"
	StepRecipient = "recipient"
	StepMessage   = "message"
)

// Refusal is a mail that was not taken, or a server that could not be reached.
type Refusal struct {
	Step string
	Code int    // SMTP's reply, such as 550; 0 when there was none
	Why  string // what happened when there was no reply, in our own words
	// Words are the server's own, without addresses: for staff pages and the command
	// line, never for the log.
	Words string
	// Final says that the same mail will be refused again: a 5xx about the sender, the
	// recipient or the message. A server that cannot be reached, or does not let us in, is
	// mended by an operator, and the mail waits for it.
	Final bool
}

// Error is for the log: it has neither addresses nor the server's words.
func (r *Refusal) Error() string {
	s := "smtp: " + r.Step
	if r.Code != 0 {
		s += " " + strconv.Itoa(r.Code)
	}
	if r.Why != "" {
		s += ": " + r.Why
	}
	return s
}

// Tell is the refusal as staff may read it.
func (r *Refusal) Tell() string {
	if r.Words == "" {
		return r.Error()
	}
	return "smtp: " + r.Step + ": " + r.Words
}

// Message is a letter on its way to somebody.
type Message struct {
	ID       string // what is before the @ of the Message-ID: the same mail has the same
	Host     string // what is after it
	To       string
	FromName string
	ReplyTo  string // "" for none
	Date     time.Time
	Letter   Letter
}

// Send hands a message over and returns the server's answer. The error is a *Refusal, or
// ctx's.
func (s *Sender) Send(ctx context.Context, m Message) (answer string, err error) {
	msg, err := s.message(m)
	if err != nil {
		return "", err
	}
	line, client, conn, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	defer line.close()
	if err := client.SendWithSMTPClient(conn, msg); err != nil && !msg.IsDelivered() {
		return "", s.refusal(ctx, err, StepMessage)
	}
	_ = client.CloseWithSMTPClient(conn) // the server has it, whatever becomes of the goodbye
	return masked(msg.ServerResponse(), s.settings.Password.Reveal()), nil
}

// Found is what Check saw of the server.
type Found struct {
	Address  string
	TLS      string // starttls, tls or none
	SignedIn bool
}

// Check connects, greets, encrypts and signs in, as the settings have it, and sends
// nothing. The error is a *Refusal, or ctx's.
func (s *Sender) Check(ctx context.Context) (Found, error) {
	f := Found{Address: s.settings.Address, TLS: s.settings.TLS, SignedIn: s.settings.User != ""}
	line, client, conn, err := s.dial(ctx)
	if err != nil {
		return f, err
	}
	defer line.close()
	_ = client.CloseWithSMTPClient(conn)
	return f, nil
}

// message is m in the form of RFC 5322. Every header with a text from outside is encoded
// by the library, after plain, oneLine and address took out what has no place in one.
func (s *Sender) message(m Message) (*gomail.Msg, error) {
	to, ok := address(m.To)
	if !ok {
		return nil, &Refusal{Step: StepRecipient, Why: "the address is none", Final: true}
	}
	// Both boundaries are fixed, so that the same mail is the same bytes when it is sent again.
	msg := gomail.NewMsg(gomail.WithBoundary(m.ID), gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&netmail.Address{Name: plain(m.FromName), Address: s.settings.From})
	msg.ToMailAddress(&netmail.Address{Address: to.Address})
	if reply, ok := address(m.ReplyTo); ok {
		msg.ReplyToMailAddress(&netmail.Address{Address: reply.Address})
	}
	msg.Subject(oneLine(m.Letter.Subject))
	msg.SetMessageIDWithValue(m.ID + "@" + m.Host)
	msg.SetDateWithValue(m.Date)
	// RFC 3834, section 5: nobody's holiday notice answers a machine.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, m.Letter.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.Letter.HTML)
	return msg, nil
}

// line is the connection below the library, which leaves it open when a greeting fails.
type line struct {
	mu     sync.Mutex
	conn   net.Conn
	dialed bool
	stop   func() bool
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
	}
	if l.conn != nil {
		l.conn.Close()
	}
}

// dial connects and signs in. The library heeds ctx until it is connected; after that the
// end of ctx closes the connection.
func (s *Sender) dial(ctx context.Context) (*line, *gomail.Client, *smtp.Client, error) {
	host, port, err := net.SplitHostPort(s.settings.Address)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil {
		return nil, nil, nil, &Refusal{Step: StepConnect, Why: "PORTATILL_SMTP_ADDRESS is not host:port"}
	}
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: s.settings.Roots}
	l := &line{}
	options := []gomail.Option{gomail.WithPort(n), gomail.WithTimeout(s.settings.Timeout), gomail.WithTLSConfig(config), gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(dialCtx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(dialCtx, network, addr)
			if err != nil {
				return nil, err
			}
			l.mu.Lock()
			l.conn, l.dialed = conn, true
			l.stop = context.AfterFunc(ctx, func() { conn.Close() })
			l.mu.Unlock()
			if s.settings.TLS == "tls" {
				secure := tls.Client(conn, config)
				return secure, secure.HandshakeContext(dialCtx)
			}
			return conn, nil
		})}
	policy := gomail.TLSMandatory
	if s.settings.TLS != "starttls" {
		policy = gomail.NoTLS
	}
	options = append(options, gomail.WithTLSPolicy(policy))
	if s.settings.User != "" {
		options = append(options, gomail.WithUsername(s.settings.User), gomail.WithPassword(s.settings.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	client, err := gomail.NewClient(host, options...)
	if err != nil {
		return nil, nil, nil, &Refusal{Step: StepConnect, Why: "the settings cannot be used: " + err.Error()}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		step := stepOf(err)
		if !l.dialed {
			step = StepConnect
		}
		l.close()
		return nil, nil, nil, s.refusal(ctx, err, step)
	}
	return l, client, conn, nil
}

// stepOf guesses how far a connection came from the library's words: it has no types.
func stepOf(err error) string {
	text := err.Error()
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case strings.Contains(text, "SMTP AUTH"), strings.Contains(text, "SMTP Auth"):
		return StepSignIn
	case certificate, record, strings.Contains(text, "STARTTLS"), strings.Contains(text, "tls: "):
		return StepTLS
	}
	return StepGreeting
}

// refusal says what went wrong without anybody's address.
func (s *Sender) refusal(ctx context.Context, err error, step string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("smtp: %s: %w", step, ctx.Err())
	}
	r := &Refusal{Step: step}
	words := err.Error()
	if sent, ok := errors.AsType[*gomail.SendError](err); ok {
		r.Code = sent.ErrorCode()
		r.Step = map[gomail.SendErrReason]string{gomail.ErrSMTPMailFrom: StepSender, gomail.ErrSMTPRcptTo: StepRecipient}[sent.Reason]
		if r.Step == "" {
			r.Step = StepMessage
		}
		// It is about this mail only where the server speaks of it; 421 and 521 are about
		// the server (RFC 5321, section 3.8; RFC 7504).
		r.Final = r.Code >= 500 && r.Code < 600 && r.Code != 521
		words = strings.TrimPrefix(words, sent.Reason.String()+": ")
		words, _, _ = strings.Cut(words, ", affected ")
	} else if reply := replyCode(words); reply != 0 {
		r.Code = reply
	}
	if r.Code != 0 {
		_, after, _ := strings.Cut(words, strconv.Itoa(r.Code))
		after = strings.TrimSpace(after)
		if quoted, err := strconv.QuotedPrefix(after); err == nil { // as the library prints a reply
			after, _ = strconv.Unquote(quoted)
		}
		r.Words = masked(strconv.Itoa(r.Code)+" "+after, s.settings.Password.Reveal(), s.settings.User)
	} else {
		r.Why = whyOf(err)
	}
	return r
}

// replyCode finds SMTP's reply in an error of the library's, such as
// "SMTP AUTH failed: 535 5.7.8 bad credentials".
func replyCode(words string) int {
	for part := range strings.FieldsSeq(words) {
		if n, err := strconv.Atoi(strings.TrimRight(part, "-:")); err == nil && len(part) >= 3 && n >= 400 && n < 600 {
			return n
		}
	}
	return 0
}

// whyOf is a broken connection in words of ours: the errors of net and tls quote what the
// other side sent.
func whyOf(err error) string {
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.As(err, &certificate):
		return "its certificate is not good for that name"
	case errors.As(err, &record):
		return "it does not speak TLS there"
	case strings.Contains(err.Error(), "STARTTLS"):
		return "it does not offer STARTTLS"
	case strings.Contains(err.Error(), "does not support SMTP AUTH"), strings.Contains(err.Error(), "no supported auth"), strings.Contains(err.Error(), "not supported"):
		return "it offers no way to sign in that we have"
	}
	return "the connection broke, or it does not speak SMTP"
}

// Server is what the settings say of the server; nothing is asked.
func (s *Sender) Server() Found {
	return Found{Address: s.settings.Address, TLS: s.settings.TLS, SignedIn: s.settings.User != ""}
}

// From is the address that mails come from.
func (s *Sender) From() string { return s.settings.From }
