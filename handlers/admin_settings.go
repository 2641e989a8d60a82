package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/internal/config"
	"github.com/portatill/portatill/views"
)

// Installation is what is running here, for the settings page. No value of a secret is
// in it.
type Installation struct {
	Version, GoVersion string
	StripeAPIVersion   string
	StartedAt          time.Time
	Host               string // this machine's name: which of several instances answers
	Settings           []config.Shown

	DatabaseKind, DatabaseVersion string
	Schema                        int
	DatabaseBytes                 int64
	DiskFree, DiskOf              uint64 // bytes; DiskOf 0: not known
	Orders                        int64  // as the database estimates it, -1: not known
	Tenants                       int64
	FirstAt                       time.Time // when the first tenant was added

	JobsDue, JobsRetrying, JobsGaveUp int
	DueSince, OldestRetry             time.Time
}

// InstallationReader reads it; it must be fast.
type InstallationReader interface {
	Installation(ctx context.Context) (Installation, error)
}

func (h *Handlers) showSettingsPage(c echo.Context) error {
	i, err := h.Installation.Installation(c.Request().Context())
	if err != nil {
		return err
	}
	now := h.Pay.Now()
	v := views.SettingsView{AdminFrame: h.tenantsFrame(c), Groups: []views.SettingsGroup{
		{Title: "Program", Facts: []views.SettingsFact{
			{Name: "Portatill", Value: i.Version}, {Name: "Go", Value: i.GoVersion}, {Name: "Stripe API", Value: i.StripeAPIVersion},
			{Name: "Mode", Value: map[bool]string{true: "sandbox: Stripe is a double", false: "live"}[h.Sandbox]},
			{Name: "Runs for", Value: span(now.Sub(i.StartedAt)), Note: "since " + tenantsTime(i.StartedAt).Text + " UTC on " + i.Host},
		}},
		{Title: "Database", Facts: databaseFacts(i)},
		{Title: "Jobs", Facts: []views.SettingsFact{
			{Name: "Due", Value: strconv.Itoa(i.JobsDue), Note: since("the oldest for ", now, i.DueSince), Bad: !i.DueSince.IsZero() && now.Sub(i.DueSince) > time.Minute},
			{Name: "Tried again later", Value: strconv.Itoa(i.JobsRetrying), Note: since("the oldest for ", now, i.OldestRetry), Bad: !i.OldestRetry.IsZero() && now.Sub(i.OldestRetry) > time.Hour},
			{Name: "Gave up", Value: strconv.Itoa(i.JobsGaveUp), Note: "in the last days", Bad: i.JobsGaveUp > 0},
		}},
	}}
	for _, s := range i.Settings {
		v.Settings = append(v.Settings, views.SettingsRow{Name: s.Name, Value: s.Value, Source: s.Source, Doc: s.Doc})
	}
	return page(c, http.StatusOK, views.SettingsPage(v))
}

func databaseFacts(i Installation) []views.SettingsFact {
	facts := []views.SettingsFact{{Name: "Kind", Value: i.DatabaseKind + " " + i.DatabaseVersion}, {Name: "Schema", Value: strconv.Itoa(i.Schema)}, {Name: "Size", Value: size(uint64(max(0, i.DatabaseBytes)))}}
	if i.DiskOf > 0 {
		facts = append(facts, views.SettingsFact{Name: "Disk", Value: size(i.DiskFree) + " free", Note: "of " + size(i.DiskOf), Bad: i.DiskFree < i.DiskOf/10})
	}
	orders := "not known yet"
	if i.Orders >= 0 {
		orders = strconv.FormatInt(i.Orders, 10)
	}
	return append(facts, views.SettingsFact{Name: "Orders", Value: orders, Note: "as the database estimates it"},
		views.SettingsFact{Name: "Tenants", Value: strconv.FormatInt(i.Tenants, 10), Note: since("the first was added ", time.Time{}, i.FirstAt)})
}

// since says how long ago something began, or when, without a now.
func since(words string, now, at time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case now.IsZero():
		return words + tenantsTime(at).Text
	}
	return words + span(now.Sub(at))
}

// span is a time span in the two units that a person would say it in.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d/time.Second)))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d/time.Minute)%60)
	}
	return fmt.Sprintf("%d days %d h", int(d/(24*time.Hour)), int(d/time.Hour)%24)
}

// size is a number of bytes in the unit that a person would say it in.
func size(n uint64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d KB", n>>10)
}
