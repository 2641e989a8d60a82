package handlers_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/handlers"
	"github.com/portatill/portatill/pay"
)

// developersTill is a till without a database: what developers read needs none.
func developersTill(baseURL string) http.Handler {
	return handlers.New(handlers.Options{
		Pay: &pay.Service{BaseURL: baseURL, Now: func() time.Time { return time.Date(2026, 11, 22, 20, 15, 0, 0, time.UTC) }},
		Log: slog.New(slog.DiscardHandler), Version: "1.2.3",
	})
}

func developersRead(till http.Handler, method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	till.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}

// bodyText is what a page says to whoever reads it without its tags.
func bodyText(t *testing.T, page io.Reader) string {
	t.Helper()
	document, err := goquery.NewDocumentFromReader(page)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(document.Find("body").Text()), " ")
}

// samplesOfTheOriginal are what real servers and the original's pages showed, recorded beside the codecs.
func samplesOfTheOriginal(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.ReadFile("../internal/wire/testdata/wire-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ Name, Bytes string }
	if err := json.Unmarshal(file, &vectors); err != nil {
		t.Fatal(err)
	}
	samples := map[string]string{}
	for _, v := range vectors {
		switch v.Name {
		case "seed-json", "seed-jsv-pretty", "seed-xml-pretty":
			samples[strings.TrimSuffix(strings.TrimPrefix(v.Name, "seed-"), "-pretty")] = v.Bytes
		}
	}
	if len(samples) != 3 {
		t.Fatalf("%d of 3 samples", len(samples))
	}
	return samples
}

func TestMetadataPagesReadLikeTheOriginals(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/metadata-csv.txt")
	if err != nil {
		t.Fatal(err)
	}
	seed := string(file)
	head, _, ok := strings.Cut(seed, "Customer,apiSingleUseToken")
	if !ok {
		t.Fatal("the original's page has no sample")
	}
	pages := map[string]string{"csv": seed}
	types := map[string]string{"json": "application/json", "xml": "application/xml", "jsv": "text/jsv"}
	for format, sample := range samplesOfTheOriginal(t) {
		upper := strings.ToUpper(format)
		page := strings.NewReplacer("text/csv", types[format], "csv", format, "CSV", upper).Replace(head)
		if format == "json" {
			page = strings.Replace(page, "HTTP + JSON", "To embed the response in a jsonp callback, append ?callback=myCallback\n\nHTTP + JSON", 1)
		}
		pages[format] = page + sample
	}
	till := developersTill("https://7el.co")
	for format, want := range pages {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			answer := developersRead(till, http.MethodGet, "/"+format+"/metadata?op=StripePaymentRequest")
			if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/html; charset=UTF-8" {
				t.Fatalf("%d %s", answer.Code, answer.Header())
			}
			if diff := cmp.Diff(strings.Join(strings.Fields(want), " "), bodyText(t, answer.Body)); diff != "" {
				t.Errorf("-original +ours:\n%s", diff)
			}
		})
	}
}

func TestMetadataAddresses(t *testing.T) {
	t.Parallel()
	till := developersTill("https://till.example:8443")
	t.Run("NeitherPathNorOperationHasACase", func(t *testing.T) {
		t.Parallel()
		want := developersRead(till, http.MethodGet, "/json/metadata?op=StripePaymentRequest").Body.String()
		for _, path := range []string{"/JSON/Metadata?OP=stripepaymentrequest", "/Json/METADATA/?op=STRIPEPAYMENTREQUEST"} {
			if got := developersRead(till, http.MethodGet, path); got.Code != http.StatusOK || got.Body.String() != want {
				t.Errorf("%s: %d, or another page", path, got.Code)
			}
		}
		if !strings.Contains(want, "Host: till.example:8443 \n") {
			t.Error("the host of the base URL is not there")
		}
	})
	t.Run("TheListLeadsToEverySampleAndEveryLinkWorks", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/metadata", "/Metadata/", "/csv/metadata", "/json/metadata?op="} {
			document, err := goquery.NewDocumentFromReader(developersRead(till, http.MethodGet, path).Body)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(document.Find("body").Text()), " ")
			if !strings.Contains(text, "Porta Plus 2 Web Services The following operations are supported. For a formal definition, please review the") ||
				!strings.Contains(text, "Operations: StripePaymentRequest XML JSON JSV CSV Clients Overview") {
				t.Errorf("%s says %s", path, text)
			}
			links := 0
			document.Find("body a").Each(func(_ int, a *goquery.Selection) {
				links++
				if answer := developersRead(till, http.MethodGet, a.AttrOr("href", "")); answer.Code != http.StatusOK {
					t.Errorf("%s leads to %s: %d", path, a.AttrOr("href", ""), answer.Code)
				}
			})
			if links < 9 {
				t.Errorf("%s has %d links", path, links)
			}
		}
	})
	t.Run("WhatDoesNotExistIsNotFound", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/csv/metadata?op=Nope", "/form/metadata", "/html/metadata?op=StripePaymentRequest", "/types/cobol", "/types/typescript/x", "/metadata/x"} {
			if answer := developersRead(till, http.MethodGet, path); answer.Code != http.StatusNotFound {
				t.Errorf("%s: %d", path, answer.Code)
			}
		}
	})
	t.Run("HEADIsAnsweredLikeGETAndNothingCanBePosted", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/metadata", "/xml/metadata?op=StripePaymentRequest", "/types", "/types/csharp", "/types/metadata.json", "/openapi.json", "/reference"} {
			if answer := developersRead(till, http.MethodHead, path); answer.Code != http.StatusOK {
				t.Errorf("HEAD %s: %d", path, answer.Code)
			}
			if answer := developersRead(till, http.MethodPost, path); answer.Code != http.StatusMethodNotAllowed {
				t.Errorf("POST %s: %d", path, answer.Code)
			}
		}
	})
}

func TestTypesAreServedWithTheTillsAddress(t *testing.T) {
	t.Parallel()
	till := developersTill("https://till.example")
	t.Run("TheMapOfLinksNamesWhatThereIs", func(t *testing.T) {
		t.Parallel()
		var links map[string]string
		if err := json.Unmarshal(developersRead(till, http.MethodGet, "/types").Body.Bytes(), &links); err != nil {
			t.Fatal(err)
		}
		if len(links) != 5 {
			t.Errorf("%v", links)
		}
		for name, link := range links {
			path, ok := strings.CutPrefix(link, "https://till.example")
			if answer := developersRead(till, http.MethodGet, path); !ok || answer.Code != http.StatusOK {
				t.Errorf("%s: %s is %d", name, link, answer.Code)
			}
		}
	})
	t.Run("OptionsOfThePreviousFileAreHonouredAndOtherToolsOptionsIgnored", func(t *testing.T) {
		t.Parallel()
		got := developersRead(till, http.MethodGet, "/types/TypeScript?GlobalNamespace=Shop.Till&addDescriptionAsComments=False&MakePropertiesOptional=True").Body.String()
		if !strings.HasPrefix(got, "/* Options:\nDate: 2026-11-22 20:15:00\nVersion: 1.2.3\n") || !strings.Contains(got, "\nBaseUrl: https://till.example\n") {
			t.Errorf("it begins with %.200q", got)
		}
		if !strings.Contains(got, "export namespace Shop.Till {") || strings.Contains(got, "/**") {
			t.Errorf("the options are not honoured: %.600s", got)
		}
	})
	t.Run("AHostileNamespaceIsRefused", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{"a{}alert(1);", "a%0Ab", "a..b", "1a", "*/", strings.Repeat("a", 65)} {
			answer := developersRead(till, http.MethodGet, "/types/typescript?GlobalNamespace="+strings.NewReplacer("{", "%7B", "}", "%7D", ";", "%3B").Replace(name))
			if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), `"FieldName":"GlobalNamespace"`) {
				t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
			}
		}
	})
}

func TestReferencePageSaysWhatTheOpenAPIDocumentSays(t *testing.T) {
	t.Parallel()
	till := developersTill("https://till.example")
	var document struct {
		Servers    []struct{ URL string }
		Paths      map[string]struct{ Post struct{ Summary string } }
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(developersRead(till, http.MethodGet, "/openapi.json").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if document.Servers[0].URL != "https://till.example" || len(document.Paths) != 7 {
		t.Errorf("%s, %d paths", document.Servers[0].URL, len(document.Paths))
	}
	page, err := goquery.NewDocumentFromReader(developersRead(till, http.MethodGet, "/reference").Body)
	if err != nil {
		t.Fatal(err)
	}
	text := page.Find("main").Text()
	for path, item := range document.Paths {
		if !strings.Contains(text, "POST "+path) || !strings.Contains(text, item.Post.Summary) {
			t.Errorf("%s is not on the page", path)
		}
	}
	for name, schema := range document.Components.Schemas {
		rows := page.Find(`[aria-label="` + name + `"] tbody tr`).Length()
		if rows != len(schema.Properties) {
			t.Errorf("%s has %d rows for %d members", name, rows, len(schema.Properties))
		}
	}
	ids := map[string]bool{}
	page.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if ids[id] {
			t.Errorf("two elements have the id %s", id)
		}
		ids[id] = true
	})
	page.Find(`main a[href^="#"]`).Each(func(_ int, a *goquery.Selection) {
		if id := a.AttrOr("href", "")[1:]; !ids[id] {
			t.Errorf("a link leads to #%s, which is not on the page", id)
		}
	})
	if n := page.Find("script, style, [style]").Length(); n != 0 {
		t.Errorf("%d elements that the content security policy forbids", n)
	}
}
