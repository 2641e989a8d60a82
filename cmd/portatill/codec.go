package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/portatill/portatill/internal/wire"
)

// maxCodecInput is the server's limit, so that what passes here is not refused there for its size.
const maxCodecInput = 1 << 20

// codecFlags are the flags that decode and encode share.
type codecFlags struct {
	format, dto string
	batch       bool
}

func (f *codecFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "", "json, jsv, csv, xml or form (required)")
	cmd.Flags().StringVar(&f.dto, "type", "request", "request (StripePaymentRequest) or response (StripePaymentResponse)")
	cmd.Flags().BoolVar(&f.batch, "batch", false, "several of them: an array, CSV with several rows, ArrayOf… in XML")
}

// parse gives the format and a new DTO, or for batches a list of them, to decode into.
func (f *codecFlags) parse(cmd *cobra.Command) (wire.Format, any, error) {
	format, ok := wire.ParseFormat(f.format)
	if !ok {
		return 0, nil, usagef("%s: --format must be json, jsv, csv, xml or form, not %q", cmd.CommandPath(), f.format)
	}
	switch {
	case f.dto == "request" && f.batch:
		return format, new([]wire.StripePaymentRequest), nil
	case f.dto == "request":
		return format, new(wire.StripePaymentRequest), nil
	case f.dto == "response" && f.batch:
		return format, new([]wire.StripePaymentResponse), nil
	case f.dto == "response":
		return format, new(wire.StripePaymentResponse), nil
	}
	return 0, nil, usagef("%s: --type must be request or response, not %q", cmd.CommandPath(), f.dto)
}

func (a *app) decodeCommand() *cobra.Command {
	var flags codecFlags
	var query string
	cmd := &cobra.Command{
		Use: "decode --format FORMAT [FILE]", Short: "Show what the till understands of a request",
		Long: "Read a request as the server would read it and print what is understood of it as canonical JSON: declared names in\n" +
			"declaration order, nulls left out, defaults of numbers and bools written, decimals with their scale. Everything is\n" +
			"printed as it was sent, a licence key included. What is refused gives the ResponseStatus that a portal would get,\n" +
			"on standard output, and exit code 1. Without FILE, or with -, standard input is read.",
		Example: "  portatill decode --format csv request.csv\n  printf '{ICustomer:7}' | portatill decode --format jsv",
		Args:    atMostOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			format, dto, err := flags.parse(cmd)
			if err != nil {
				return err
			}
			body, err := a.codecInput(args)
			if err == nil {
				err = decodeBody(format, body, query, flags.batch, dto)
			}
			if err != nil {
				return a.refuse(err)
			}
			_, err = a.out.Write(append(wire.Canonical(dto), '\n'))
			return err
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&query, "query", "", "the address's query string, which counts on /ChargeStripeCustomerCard")
	mayBeEmpty(cmd.Flags(), "query")
	return cmd
}

func (a *app) encodeCommand() *cobra.Command {
	var flags codecFlags
	cmd := &cobra.Command{
		Use: "encode --format FORMAT [FILE]", Short: "Write a request from JSON in another format",
		Long: "Read a request as JSON, such as decode prints, and write it as a portal would send it, to the byte (on a terminal a\n" +
			"line feed follows). Input that is refused gives a ResponseStatus and exit code 1. Without FILE, or with -, standard\n" +
			"input is read.",
		Example: "  portatill encode --format xml request.json\n  portatill decode --format csv request.csv | portatill encode --format jsv",
		Args:    atMostOneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			format, dto, err := flags.parse(cmd)
			if err != nil {
				return err
			}
			if format == wire.Form && flags.batch {
				return usagef("%s: a form holds one request; leave --batch out", cmd.CommandPath())
			}
			body, err := a.codecInput(args)
			if err == nil {
				err = decodeBody(wire.JSON, body, "", flags.batch, dto)
			}
			if err != nil {
				return a.refuse(err)
			}
			text := wire.Encode(format, dto)
			if isTerminal(a.out) {
				text = append(text, '\n')
			}
			_, err = a.out.Write(text)
			return err
		},
	}
	flags.add(cmd)
	return cmd
}

func atMostOneFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes one file; see %s --help", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// codecInput reads the file, or standard input. Too much is a refusal like the server's.
func (a *app) codecInput(args []string) ([]byte, error) {
	in := a.in
	if len(args) == 1 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, usagef("%v", err)
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, maxCodecInput+1))
	if err != nil {
		return nil, fmt.Errorf("read the input: %w", err)
	}
	if len(body) > maxCodecInput {
		return nil, &wire.Error{ErrorCode: "RequestEntityTooLarge", Message: "The body is larger than 1 MiB."}
	}
	return body, nil
}

// decodeBody reads a body with the query string of its address, where a form overrides the query and the query any
// other body (wire.md section 1.4).
func decodeBody(format wire.Format, body []byte, query string, batch bool, dto any) error {
	if batch {
		if format == wire.Form {
			return decodeFormBatch(body, dto)
		}
		return wire.DecodeBatch(format, body, dto)
	}
	if format != wire.Form {
		if err := wire.Decode(format, body, dto); err != nil {
			return err
		}
		return bindQuery(query, dto)
	}
	if err := bindQuery(query, dto); err != nil {
		return err
	}
	fields, err := formFields(body)
	if err != nil {
		return err
	}
	return wire.BindForm(fields, dto)
}

// decodeFormBatch reads a form as a batch of one, as the server does.
func decodeFormBatch(body []byte, dto any) error {
	switch list := dto.(type) {
	case *[]wire.StripePaymentRequest:
		*list = make([]wire.StripePaymentRequest, 1)
		return decodeBody(wire.Form, body, "", false, &(*list)[0])
	case *[]wire.StripePaymentResponse:
		*list = make([]wire.StripePaymentResponse, 1)
		return decodeBody(wire.Form, body, "", false, &(*list)[0])
	}
	return errors.New("a batch must be decoded into a list")
}

func bindQuery(query string, dto any) error {
	if query == "" {
		return nil
	}
	fields, err := wire.QueryFields(query)
	if err != nil {
		return err
	}
	return wire.BindForm(fields, dto)
}

// formFields reads both kinds of form. Without a Content-Type to name the boundary, a multipart form is known by its
// first line, which is two dashes and the boundary (RFC 2046, section 5.1.1).
func formFields(body []byte) ([]wire.FormField, error) {
	contentType := "application/x-www-form-urlencoded"
	first, rest, found := strings.Cut(string(body), "\n")
	boundary := strings.TrimRight(strings.TrimPrefix(first, "--"), " \t\r")
	if found && strings.HasPrefix(first, "--") && strings.HasPrefix(strings.ToLower(rest), "content-") {
		contentType = fmt.Sprintf("multipart/form-data; boundary=%q", boundary)
	}
	return wire.FormFields(contentType, body)
}

// refuse prints the ResponseStatus that a portal would get. What is no fault of the input stays what it is.
func (a *app) refuse(err error) error {
	refusal, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	text := wire.EncodeError(wire.JSON, refusal.Status())
	if _, err := a.out.Write(append(text, '\n')); err != nil {
		return err
	}
	return errors.New("refused: " + refusal.Message)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
