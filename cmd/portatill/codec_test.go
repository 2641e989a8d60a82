package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// codecRun runs the program with input on standard input.
func codecRun(input string, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	noSettings := func(string) (string, bool) { return "", false }
	code = run(context.Background(), args, noSettings, strings.NewReader(input), &o, &e)
	return code, o.String(), e.String()
}

type codecVector struct {
	Name, Format, Direction, Bytes string
	Decoded                        json.RawMessage
	Request                        struct{ Path string }
	Expect                         struct{ ErrorCode string }
}

func codecVectors(t *testing.T) []codecVector {
	t.Helper()
	file, err := os.ReadFile("../../internal/wire/testdata/wire-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []codecVector
	// Whoever wrote the file let one number pass through a float; its bytes have it whole.
	file = bytes.ReplaceAll(file, []byte("1.2345678901234567e+19"), []byte("12345678901234567890.12345678"))
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// numbersByValue parses JSON and takes from numbers what does not change their value: the vectors' decoded has lost the
// scale of decimals.
func numbersByValue(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case json.Number:
			text := v.String()
			if strings.Contains(text, ".") {
				text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
			}
			return json.Number(strings.TrimPrefix(text, "+"))
		}
		return v
	}
	return walk(v)
}

func TestDecodePrintsWhatEveryRecordedRequestMeans(t *testing.T) {
	t.Parallel()
	decoded, refused := 0, 0
	for _, v := range codecVectors(t) {
		if v.Direction != "request" || strings.HasPrefix(v.Name, "client-ts2-jsv-stringify") {
			continue // about a type of their own, which a client's JSV.stringify was tried with
		}
		args := []string{"decode", "--format", v.Format}
		path, query, _ := strings.Cut(v.Request.Path, "?")
		if strings.HasSuffix(path, "[]") {
			args = append(args, "--batch")
		}
		if query != "" && v.Format == "form" {
			args = append(args, "--query", query)
		}
		switch {
		case len(v.Decoded) > 0 && string(v.Decoded) != "null":
			decoded++
			t.Run(v.Name, func(t *testing.T) {
				t.Parallel()
				code, out, errOut := codecRun(v.Bytes, args...)
				if code != 0 || errOut != "" {
					t.Fatalf("exit %d: %s%s", code, errOut, out)
				}
				if diff := cmp.Diff(numbersByValue(t, v.Decoded), numbersByValue(t, []byte(out))); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if strings.Count(out, "\n") != 1 || !strings.HasSuffix(out, "\n") {
					t.Errorf("not one line: %q", out)
				}
			})
		case v.Expect.ErrorCode == "SerializationException":
			refused++
			t.Run(v.Name, func(t *testing.T) {
				t.Parallel()
				code, out, errOut := codecRun(v.Bytes, args...)
				var answer struct {
					ResponseStatus struct{ ErrorCode, Message string }
				}
				if err := json.Unmarshal([]byte(out), &answer); err != nil {
					t.Fatalf("%v in %s", err, out)
				}
				if code != 1 || answer.ResponseStatus.ErrorCode != v.Expect.ErrorCode || answer.ResponseStatus.Message == "" {
					t.Errorf("exit %d: %s", code, out)
				}
				if !strings.Contains(errOut, answer.ResponseStatus.Message) {
					t.Errorf("standard error does not say why: %s", errOut)
				}
			})
		}
	}
	if decoded < 130 || refused < 30 {
		t.Errorf("only %d vectors decoded and %d refused", decoded, refused)
	}
}

func TestEncodeWritesWhatRealServersWrote(t *testing.T) {
	t.Parallel()
	vectors := codecVectors(t)
	written := 0
	for _, v := range vectors {
		if v.Direction != "response" || !strings.HasPrefix(v.Name, "write-") || v.Name == "write-list-of-rows-csv" {
			continue
		}
		from := string(v.Decoded)
		// decoded has lost the scale of decimals; the JSON twin has not.
		twin := strings.TrimSuffix(v.Name, "-"+v.Format) + "-json"
		if i := slices.IndexFunc(vectors, func(o codecVector) bool { return o.Name == twin }); i >= 0 {
			from = vectors[i].Bytes
		}
		written++
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := codecRun(from, "encode", "--format", v.Format)
			if code != 0 || errOut != "" {
				t.Fatalf("exit %d: %s", code, errOut)
			}
			if diff := cmp.Diff(v.Bytes, out); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if written < 15 {
		t.Errorf("only %d vectors", written)
	}
}

const codecItem = `{"Title":"a,\"b\"","Quantity":2,"MonthlyFee":9.90,"SetupFee":0.00,"DisplayIndex":0,"PartId":0,"VatApplicable":true,"TransactionCharge":0,"VoucherCredit":0,"AdvancePeriod":3,"ItemSubTotal":12345678901234567890.12345678}`

func codecRequest(i string) string {
	return `{"ICustomer":` + i + `,"ShoppingInformation":[` + codecItem + `],"GetCustomerCardInformation":false,"IsDelete":false,"License":"not a secret here","ContentId":0}`
}

func TestDecodeUndoesEncode(t *testing.T) {
	t.Parallel()
	response := `{"Success":true,"Status":"open","Url":"https://a.example/?a=1&b=<2>","ICustomer":7,"Amount":9.90,"Currency":"GBP","Replayed":false,"ContentId":0}`
	for _, format := range []string{"json", "jsv", "csv", "xml", "form"} {
		for name, c := range map[string]struct {
			text string
			args []string
		}{
			"ForARequestWithTheScaleOfItsDecimals": {codecRequest("7"), nil},
			"ForABatch":                            {"[" + codecRequest("7") + "," + codecRequest("8") + "]", []string{"--batch"}},
			"ForAResponse":                         {response, []string{"--type", "response"}},
		} {
			if format == "form" && name == "ForABatch" {
				continue
			}
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				code, encoded, errOut := codecRun(c.text, append([]string{"encode", "--format", format}, c.args...)...)
				if code != 0 {
					t.Fatal(errOut)
				}
				code, again, errOut := codecRun(encoded, append([]string{"decode", "--format", format, "-"}, c.args...)...)
				if code != 0 {
					t.Fatal(errOut)
				}
				if diff := cmp.Diff(c.text+"\n", again); diff != "" {
					t.Errorf("by way of %s (-sent +got):\n%s", encoded, diff)
				}
			})
		}
	}
}

func TestCodecInputs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "request.jsv")
	if err := os.WriteFile(file, []byte("{ICustomer:7}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("AFileIsReadInsteadOfStandardInput", func(t *testing.T) {
		t.Parallel()
		if code, out, errOut := codecRun("{ICustomer:8}", "decode", "--format", "JSV", file); code != 0 || !strings.HasPrefix(out, `{"ICustomer":7,`) {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	})
	t.Run("ABodyOfOneMebibyteIsReadAndOneByteMoreIsRefused", func(t *testing.T) {
		t.Parallel()
		body := `{"License":"` + strings.Repeat("a", 1<<20-len(`{"License":""}`)) + `"}`
		if code, _, errOut := codecRun(body, "decode", "--format", "json"); code != 0 {
			t.Errorf("exit %d: %s", code, errOut)
		}
		code, out, errOut := codecRun(body+" ", "decode", "--format", "json")
		if code != 1 || out != `{"ResponseStatus":{"ErrorCode":"RequestEntityTooLarge","Message":"The body is larger than 1 MiB."}}`+"\n" || !strings.Contains(errOut, "1 MiB") {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	})
	t.Run("ARefusalNamesTheFieldAndNothingThatWasSent", func(t *testing.T) {
		t.Parallel()
		code, out, errOut := codecRun(`{"License":"hush","ShoppingInformation":[{"Quantity":"hush"}]}`, "decode", "--format", "json")
		if code != 1 || !strings.Contains(out, `"FieldName":"ShoppingInformation[0].Quantity"`) || strings.Contains(out+errOut, "hush") {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	})
	t.Run("AFormInABatchIsABatchOfOne", func(t *testing.T) {
		t.Parallel()
		if code, out, errOut := codecRun("ICustomer=7", "decode", "--format", "form", "--batch"); code != 0 || !strings.HasPrefix(out, `[{"ICustomer":7,`) {
			t.Errorf("exit %d: %s%s", code, out, errOut)
		}
	})
	t.Run("EncodeRefusesWhatIsNoRequest", func(t *testing.T) {
		t.Parallel()
		if code, out, _ := codecRun(`[1]`, "encode", "--format", "xml"); code != 1 || !strings.HasPrefix(out, `{"ResponseStatus":{"ErrorCode":"SerializationException"`) {
			t.Errorf("exit %d: %s", code, out)
		}
	})
	for name, args := range map[string][]string{
		"NoFormat":        {"decode"},
		"AnUnknownFormat": {"encode", "--format", "yaml"},
		"AnUnknownType":   {"decode", "--format", "json", "--type", "invoice"},
		"TwoFiles":        {"decode", "--format", "json", file, file},
		"AMissingFile":    {"decode", "--format", "json", file + ".not"},
		"ABatchAsAForm":   {"encode", "--format", "form", "--batch"},
	} {
		t.Run(name+"IsAWrongCall", func(t *testing.T) {
			t.Parallel()
			if code, out, errOut := codecRun("{}", args...); code != 2 || out != "" || errOut == "" {
				t.Errorf("exit %d: %s%s", code, out, errOut)
			}
		})
	}
}
