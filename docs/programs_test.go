package docs

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// runnable are the programs of api.md that are run: a name for messages, and how to start one in a directory of its own.
func runnable(t *testing.T) map[string]func(env []string, args ...string) outcome {
	t.Helper()
	js, golang := t.TempDir(), t.TempDir()
	write(t, filepath.Join(js, "pay.mjs"), program(t, "pay.mjs"))
	write(t, filepath.Join(golang, "go.mod"), "module pay\n\ngo 1.24\n")
	write(t, filepath.Join(golang, "pay.go"), program(t, "pay.go"))
	output(t, golang, "go", "vet", ".")
	output(t, golang, "go", "build", "-o", "pay", ".")
	return map[string]func([]string, ...string) outcome{
		"JavaScript": func(env []string, args ...string) outcome {
			return start(t, js, env, "node", append([]string{"pay.mjs"}, args...)...)
		},
		"Go": func(env []string, args ...string) outcome {
			return start(t, golang, env, filepath.Join(golang, "pay"), args...)
		},
	}
}

// returned is a SuccessUrl as the till makes it (product.md section 4), written down once more so that it can be made wrong.
func returned(w *till, secret, amount string, at time.Time) string {
	message := fmt.Sprintf("order=ord_1&status=paid&amount=%s&currency=GBP&ts=%d", amount, at.Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(message))
	return w.SandboxURL + "/_portal/success?basket=43&" + message + "&sig=" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestTheDocumentedPrograms(t *testing.T) {
	t.Parallel()
	w := startTill(t)
	programs := runnable(t)
	urls := map[string]string{}
	for language, run := range programs {
		got := run(w.env())
		if got.code != 0 || !strings.HasPrefix(got.out, w.BaseURL+"/pay/") {
			t.Fatalf("%s: %+v", language, got)
		}
		urls[language] = got.out
	}
	if urls["JavaScript"] != urls["Go"] {
		t.Errorf("the same request under the same key led to %v", urls)
	}
	link := w.pay(urls["Go"])
	message, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	genuine := message.Query().Get("order") + " paid 26.40 GBP"
	for language, run := range programs {
		t.Run("TheReturnOfARealPaymentIsBelievedIn"+language, func(t *testing.T) {
			t.Parallel()
			if got := run(w.env(), link); got.code != 0 || got.out != genuine {
				t.Errorf("%+v, want %s", got, genuine)
			}
			// The yardstick of the refusals below: this one is as good as the till's.
			if got := run(w.env(), returned(w, w.SigningSecret, "1.00", time.Now())); got.code != 0 || got.out != "ord_1 paid 1.00 GBP" {
				t.Errorf("made by hand: %+v", got)
			}
		})
		t.Run("AForgedOrOldReturnIsRefusedIn"+language, func(t *testing.T) {
			t.Parallel()
			unsigned, _, _ := strings.Cut(link, "&sig=")
			for name, forged := range map[string]string{
				"AnotherAmount": strings.Replace(link, "amount=26.40", "amount=2.64", 1), "AnotherOrder": strings.Replace(link, "order=ord_", "order=ord_x", 1),
				"Unsigned": unsigned, "EmptySignature": unsigned + "&sig=", "NoQuery": w.SandboxURL + "/_portal/success",
				"AnotherSecret": returned(w, "sig_of-somebody-else", "1.00", time.Now()),
				"Old":           returned(w, w.SigningSecret, "1.00", time.Now().Add(-2*time.Hour)),
				"FromTomorrow":  returned(w, w.SigningSecret, "1.00", time.Now().Add(24*time.Hour)),
			} {
				if got := run(w.env(), forged); got.code != 1 || got.out != "not genuine" {
					t.Errorf("%s: %+v", name, got)
				}
			}
			// An empty secret would make anybody's signature good.
			if got := run([]string{"BASE=" + w.BaseURL, "SIGNING_SECRET="}, returned(w, "", "1.00", time.Now())); got.code == 0 || !strings.Contains(got.errOut, "set SIGNING_SECRET") {
				t.Errorf("without a secret: %+v", got)
			}
		})
		t.Run("ARefusalSaysWhyIn"+language, func(t *testing.T) {
			t.Parallel()
			got := run([]string{"BASE=" + w.BaseURL, "SHOP=" + w.SandboxURL, "LICENSE=ptl_unknown"})
			if got.code == 0 || got.out != "" || !strings.Contains(got.errOut, "InvalidLicense") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestTheProgramsOfAllLanguagesSendTheSame compares what cannot be run everywhere (PHP, C#) with what is.
func TestTheProgramsOfAllLanguagesSendTheSame(t *testing.T) {
	t.Parallel()
	_, body, _ := strings.Cut(commands(t)[2].script, "<<JSON\n")
	body = strings.NewReplacer("\nJSON", "", "$SHOP", "", "42", "43").Replace(body)
	var request map[string]any
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		t.Fatalf("the JSON request of the page: %v\n%s", err, body)
	}
	want := append(wordsOf(request), "/json/reply/StripePaymentRequest", "application/json", "Authorization", "Bearer", "Idempotency-Key", "basket-43",
		"BASE", "SHOP", "LICENSE", "SIGNING_SECRET", "order", "status", "amount", "currency", "ts", "sig", "Url", "not genuine")
	if len(want) < 40 {
		t.Fatalf("the page's request has only %q", want)
	}
	redirect := map[string]string{"pay.php": "header(", "Pay.cs": "Redirect(url)", "pay.mjs": "redirect(303, url)", "pay.go": "http.Redirect(w, r, address, http.StatusSeeOther)"}
	for name, how := range redirect {
		code := program(t, name)
		for _, word := range want {
			if !regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(word) + `(\W|$)`).MatchString(code) {
				t.Errorf("%s has no %q", name, word)
			}
		}
		if !strings.Contains(code, how) {
			t.Errorf("%s does not say how a page redirects", name)
		}
	}
	for _, name := range []string{"pass.php", "Pass.cs"} {
		code := program(t, name)
		for _, word := range []string{"pt1.", "sha256", "base64"} {
			if !strings.Contains(strings.ToLower(code), word) {
				t.Errorf("%s has no %q", name, word)
			}
		}
	}
}

// wordsOf are the names of a JSON value's members and its texts and numbers.
func wordsOf(value any) (words []string) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			words = append(append(words, name), wordsOf(member)...)
		}
	case []any:
		for _, item := range v {
			words = append(words, wordsOf(item)...)
		}
	default:
		words = append(words, fmt.Sprint(v))
	}
	return words
}

// TestAPassMadeByTheDocumentationBuysOneOrder posts a form as a browser does.
func TestAPassMadeByTheDocumentationBuysOneOrder(t *testing.T) {
	t.Parallel()
	w := startTill(t)
	fields := map[string]string{"ICustomer": "12345", "ShoppingInformation": "[{Title:\"SIP trunk, 4 channels\",Quantity:2,SetupFee:10.00,Currency:GBP}]",
		"SuccessUrl": w.SandboxURL + "/_portal/success?basket=44&x=%C3%BC", "CancelUrl": w.SandboxURL + "/_portal/cancelled", "FeatureName": "Basket für Ada (it's ~50 % off!) *"}
	literal, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pass.mjs"), program(t, "pass.mjs"))
	write(t, filepath.Join(dir, "main.mjs"), fmt.Sprintf("import { portatillPass } from './pass.mjs';\nconsole.log(portatillPass(%q, process.env.SIGNING_SECRET, %d, 'Zm9vYmFyYmF6cXV4MTIzNA', %s));\n",
		w.Tenant, time.Now().Add(time.Hour).Unix(), literal))
	made := start(t, dir, w.env(), "node", "main.mjs")
	form := url.Values{"apiSingleUseToken": {made.out}}
	for name, value := range fields {
		form.Set(name, value)
	}
	post := func() page {
		return w.visit(http.MethodPost, w.BaseURL+"/ChargeStripeCustomerCard", formType, form.Encode())
	}
	first, again := post(), post()
	to := first.header.Get("Location")
	if first.status != http.StatusSeeOther || !strings.HasPrefix(to, w.BaseURL+"/pay/") || again.header.Get("Location") != to {
		t.Errorf("led to %d %q, the second time to %d %q: %s %s", first.status, to, again.status, again.header.Get("Location"), first.body, made.errOut)
	}
	form.Set("ICustomer", "12346")
	if changed := post(); changed.status != http.StatusForbidden {
		t.Errorf("a changed field: %d", changed.status)
	}
}
