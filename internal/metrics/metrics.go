// Package metrics is what Prometheus reads: requests, webhooks and jobs by
// outcome. Labels are route patterns, kinds and tenants' public slugs, never ids
// or anything of a customer's.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics holds the collectors of one process.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	webhooks *prometheus.CounterVec
	jobs     *prometheus.HistogramVec
}

// New registers the collectors.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "portatill_http_request_seconds",
			Help: "Answered requests by route.", Buckets: []float64{.001, .005, .025, .1, .5, 2, 10}}, []string{"route", "method", "status"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "portatill_stripe_webhooks_total",
			Help: "Deliveries from Stripe by what became of them."}, []string{"tenant", "answer"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "portatill_job_seconds",
			Help: "Jobs by kind and outcome.", Buckets: []float64{.005, .05, .25, 1, 5, 30}}, []string{"kind", "outcome"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "portatill_build_info", Help: "Always 1.",
		ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.webhooks, m.jobs, info, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Request counts an answered request; seconds is how long it took.
func (m *Metrics) Request(route, method string, status int, seconds float64) {
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(seconds)
}

// Webhook counts a delivery from Stripe.
func (m *Metrics) Webhook(tenant, answer string) { m.webhooks.WithLabelValues(tenant, answer).Inc() }

// Job counts a job that ran.
func (m *Metrics) Job(kind string, took time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.jobs.WithLabelValues(kind, outcome).Observe(took.Seconds())
}
