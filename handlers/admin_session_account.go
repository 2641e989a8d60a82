package handlers

import (
	"errors"
	"fmt"
	"image/color"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/pquerna/otp"

	"github.com/portatill/portatill/pay"
	"github.com/portatill/portatill/views"
)

// staffTime is a time as the staff read it, in UTC as the logs have it.
func staffTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04")
}

func (h *Handlers) showStaffAccountPage(c echo.Context) error {
	return h.staffAccountPage(c, http.StatusOK, views.StaffAccountView{})
}

// staffAccountPage fills in what v does not say yet.
func (h *Handlers) staffAccountPage(c echo.Context, status int, v views.StaffAccountView) error {
	ctx, p := c.Request().Context(), staffOf(c)
	v.AdminFrame, v.HasApp = h.adminFrame(c), p.HasTOTP()
	var err error
	if v.CodesLeft, err = h.Staff.Store.RecoveryCodesLeft(ctx, p.ID); err != nil {
		return err
	}
	all, err := h.Staff.Sessions(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, s := range all {
		v.Sessions = append(v.Sessions, views.StaffSession{SignedInAt: staffTime(s.SignedInAt), LastSeenAt: staffTime(s.LastSeenAt), Address: s.Address,
			Current: s.IDHash == staffSessionOf(c).IDHash})
	}
	return page(c, status, views.StaffAccountPage(v))
}

func (h *Handlers) changeOwnPassword(c echo.Context) error {
	err := h.Staff.ChangePassword(c.Request().Context(), byOf(c), staffSessionOf(c), pay.Secret(c.FormValue("present")), pay.Secret(c.FormValue("wanted")))
	if f, ok := formFault(c, err); ok {
		return h.staffAccountPage(c, f.status, views.StaffAccountView{PasswordMessage: f.message})
	}
	if err != nil {
		return err
	}
	h.say(c, "Your password is changed, and your other browsers are signed out.")
	return c.Redirect(http.StatusSeeOther, "/admin/account")
}

// freshFirst leads to the password page when the last sign-in is too long ago:
// whoever finds a browser open must not pair a phone of their own.
func (h *Handlers) freshFirst(c echo.Context, next string) (asked bool, err error) {
	if h.Staff.Fresh(staffSessionOf(c)) {
		return false, nil
	}
	return true, page(c, http.StatusForbidden, views.AgainPage(views.AgainView{AdminFrame: h.adminFrame(c), Next: next}))
}

func (h *Handlers) showStaffAppPage(c echo.Context) error {
	if asked, err := h.freshFirst(c, "/admin/account/app"); asked {
		return err
	}
	return h.staffAppPage(c, http.StatusOK, "")
}

func (h *Handlers) staffAppPage(c echo.Context, status int, message string) error {
	offer, err := h.Staff.OfferTOTP(c.Request().Context(), staffOf(c).ID, "Portatill")
	if err != nil {
		return err
	}
	v := views.StaffAppView{AdminFrame: h.adminFrame(c), Secret: inGroups(offer.Secret.Reveal()), Message: message}
	if v.QRSize, v.QRPath, err = qrPath(offer.URL.Reveal()); err != nil {
		return err
	}
	return page(c, status, views.StaffAppPage(v))
}

// inGroups writes a text in groups of four, to be typed.
func inGroups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// quietZone is the empty edge that a reader needs, in modules (ISO/IEC 18004,
// section 6.3.8).
const quietZone = 4

// qrPicture is the edge of the picture that a QR code is read off, in pixels: several for
// each module of the largest code, which has 177.
const qrPicture = 1024

// qrPath draws an app's address as a QR code: its dark modules as an SVG path, on a
// square of size modules. An image in the page needs no data: source in the policy, and
// no second request that would carry the secret.
func qrPath(address string) (size int, path string, err error) {
	key, err := otp.NewKeyFromURL(address)
	if err != nil {
		return 0, "", errors.New("draw a QR code: the address is none") // the error would quote it
	}
	picture, err := key.Image(qrPicture, qrPicture)
	if err != nil {
		return 0, "", fmt.Errorf("draw a QR code: %w", err) // the package's errors do not quote the text
	}
	dark := func(x, y int) bool {
		gray, ok := color.GrayModel.Convert(picture.At(x, y)).(color.Gray)
		return ok && gray.Y < 128
	}
	// The code stands in the middle, and begins with the seven modules of its corner mark.
	margin := 0
	for margin < qrPicture/2 && !dark(margin, margin) {
		margin++
	}
	run := 0
	for dark(margin+run, margin) {
		run++
	}
	module := run / 7
	if module == 0 {
		return 0, "", errors.New("draw a QR code: it has no corner mark")
	}
	edge := (qrPicture - 2*margin) / module
	var b strings.Builder
	for y := range edge {
		for x := range edge {
			if dark(margin+x*module, margin+y*module) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	return edge + 2*quietZone, b.String(), nil
}

func (h *Handlers) confirmApp(c echo.Context) error {
	if asked, err := h.freshFirst(c, "/admin/account/app"); asked {
		return err
	}
	codes, err := h.Staff.ConfirmTOTP(c.Request().Context(), byOf(c), staffSessionOf(c), storable(c.FormValue("code")))
	if f, ok := formFault(c, err); ok {
		return h.staffAppPage(c, f.status, f.message)
	}
	if err != nil {
		return err
	}
	return h.staffCodesPage(c, codes)
}

// staffCodesPage is the answer to the form itself, not a page that could be opened
// again: the codes are nowhere else.
func (h *Handlers) staffCodesPage(c echo.Context, codes []pay.Secret) error {
	v := views.StaffCodesView{AdminFrame: h.adminFrame(c)}
	for _, code := range codes {
		v.Codes = append(v.Codes, code.Reveal())
	}
	return page(c, http.StatusOK, views.StaffCodesPage(v))
}

func (h *Handlers) dropApp(c echo.Context) error {
	err := h.Staff.DropTOTP(c.Request().Context(), byOf(c), staffSessionOf(c), pay.Secret(c.FormValue("password")))
	if f, ok := formFault(c, err); ok {
		return h.staffAccountPage(c, f.status, views.StaffAccountView{CodesMessage: f.message})
	}
	if err != nil {
		return err
	}
	h.say(c, "The authenticator app is off.")
	return c.Redirect(http.StatusSeeOther, "/admin/account")
}

func (h *Handlers) renewCodes(c echo.Context) error {
	codes, err := h.Staff.RenewRecoveryCodes(c.Request().Context(), byOf(c), staffSessionOf(c), pay.Secret(c.FormValue("password")))
	if f, ok := formFault(c, err); ok {
		return h.staffAccountPage(c, f.status, views.StaffAccountView{CodesMessage: f.message})
	}
	if err != nil {
		return err
	}
	return h.staffCodesPage(c, codes)
}
