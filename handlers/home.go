package handlers

import (
	"bytes"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/portatill/portatill/static"
	"github.com/portatill/portatill/views"
)

// showHomePage is "/": what this is, and in the sandbox how to begin.
func (h *Handlers) showHomePage(c echo.Context) error {
	v := views.HomeView{Frame: h.frame(c, nil), Version: h.Version}
	if h.Sandbox {
		v.Curl, v.SandboxURL = h.Curl, h.SandboxURL
	}
	return page(c, http.StatusOK, views.HomePage(v))
}

// alive says that the process answers; it asks nobody.
func (h *Handlers) alive(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": h.Version})
}

// ready says whether the till can take money now: database, migrations, worker.
func (h *Handlers) ready(c echo.Context) error {
	if err := h.Ready(c.Request()); err != nil {
		h.Log.WarnContext(c.Request().Context(), "not ready", "error", err)
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ready"})
}

// staticFile serves what is compiled in. An address with the right version may be
// kept for good.
func (h *Handlers) staticFile(c echo.Context) error {
	name := strings.TrimPrefix(c.Request().URL.Path, static.Prefix)
	content, err := readStatic(name)
	if err != nil {
		return echo.ErrNotFound
	}
	cache := "public, max-age=300"
	if v := c.QueryParam("v"); v != "" && v == static.Version(name) {
		cache = "public, max-age=31536000, immutable"
	}
	c.Response().Header().Set("Cache-Control", cache)
	http.ServeContent(c.Response(), c.Request(), name, time.Time{}, bytes.NewReader(content))
	return nil
}

func readStatic(name string) ([]byte, error) {
	f, err := static.FS().Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // a file in memory
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		return nil, err // a directory
	}
	return b.Bytes(), nil
}

func (h *Handlers) favicon(c echo.Context) error {
	return c.Redirect(http.StatusMovedPermanently, static.URL("img/icon.svg"))
}

func (h *Handlers) robots(c echo.Context) error {
	return c.String(http.StatusOK, "User-agent: *\nDisallow: /\n")
}
