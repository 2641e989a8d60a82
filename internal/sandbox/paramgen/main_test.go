package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stripe/stripe-mock/embedded"
)

func TestParamgen(t *testing.T) {
	t.Parallel()
	routes, err := os.ReadFile("../routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("TheCommittedFileIsUpToDate", func(t *testing.T) {
		t.Parallel()
		fresh, err := Generate(embedded.OpenAPISpec, strings.Fields(string(routes)))
		if err != nil {
			t.Fatal(err)
		}
		committed, err := os.ReadFile("../params.json")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fresh, committed) {
			t.Error("params.json is stale: run go generate ./internal/sandbox")
		}
	})
	t.Run("ARouteThatStripeDoesNotHaveIsRefused", func(t *testing.T) {
		t.Parallel()
		if _, err := Generate(embedded.OpenAPISpec, []string{"GET", "/v1/unicorns"}); err == nil || !strings.Contains(err.Error(), "/v1/unicorns") {
			t.Errorf("%v", err)
		}
	})
}
