package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// staffPages are the addresses whose server time is measured: those of the navigation, and, for each, what its first
// row leads to.
var (
	navLink = regexp.MustCompile(`href="(/admin[^"?#]*)"`)
	rowLink = regexp.MustCompile(`(?s)data-testid="row".*?href="(/admin/[^"?#]+)"`)
)

// BenchmarkStaffPages is the server time of every staff page on the demo's data, as an operator sees them, over HTTP on
// this machine: PORTATILL_BENCH_ORDERS orders, 5,000 unless set.
func BenchmarkStaffPages(b *testing.B) {
	orders := os.Getenv("PORTATILL_BENCH_ORDERS")
	if orders == "" {
		orders = "5000"
	}
	r := newShell(b).tell("--orders", orders)
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	read := func(path string) string {
		res, err := client.Get(r.ready.BaseURL + path)
		status, body := r.read(res, err)
		if status != http.StatusOK {
			b.Fatalf("%s: %d", path, status)
		}
		return body
	}
	res, err := client.PostForm(r.ready.BaseURL+"/admin/sign-in", url.Values{"email": {r.ready.AdminEmail}, "password": {r.ready.AdminPassword}})
	if status, _ := r.read(res, err); status != http.StatusOK {
		b.Fatalf("the sign-in: %d", status)
	}
	pages := []string{"/admin"}
	add := func(path string) {
		if !slices.Contains(pages, path) {
			pages = append(pages, path)
		}
	}
	for _, m := range navLink.FindAllStringSubmatch(read("/admin"), -1) {
		add(m[1])
	}
	for _, path := range slices.Clone(pages) {
		if m := rowLink.FindStringSubmatch(read(path)); m != nil {
			add(m[1])
		}
	}
	for _, path := range pages {
		b.Run(strings.TrimPrefix(regexp.MustCompile(`_[0-9a-z]{20,}`).ReplaceAllString(path, "_…"), "/"), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				read(path)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
