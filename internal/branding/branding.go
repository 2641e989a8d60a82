// Package branding makes of what a tenant chose what customers can read and browsers
// can safely show: shades of any accent colour that keep WCAG's contrast on our pages
// in both colour schemes, and logos that are pictures and nothing else.
//
// It must not know where a logo or a colour is kept, or by what address it is served.
package branding

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Colour is an sRGB colour.
type Colour struct{ R, G, B uint8 }

// ParseColour reads #rrggbb; ok is false for anything else.
func ParseColour(text string) (c Colour, ok bool) {
	digits, hash := strings.CutPrefix(text, "#")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !hash || err != nil || len(digits) != 6 {
		return Colour{}, false
	}
	return Colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// luminance is WCAG 2.2's relative luminance (w3.org/TR/WCAG22/#dfn-relative-luminance).
func (c Colour) luminance() float64 {
	return 0.2126*linear[c.R] + 0.7152*linear[c.G] + 0.0722*linear[c.B]
}

// linear is each sRGB channel's value without its gamma.
var linear = func() (table [256]float64) {
	for i := range table {
		v := float64(i) / 255
		if v <= 0.04045 {
			table[i] = v / 12.92
		} else {
			table[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return table
}()

// Contrast is WCAG's contrast ratio of two colours, from 1 to 21.
func Contrast(a, b Colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// What WCAG 2.2 asks for at level AA: of text (1.4.3), and of what shows where a
// button is (1.4.11).
const (
	TextContrast = 4.5
	EdgeContrast = 3.0
)

var (
	black, white = Colour{}, Colour{255, 255, 255}
	// LightPages and DarkPages are what stands behind text and buttons in each scheme:
	// --color-base-100, -200 and -300 of build/css/app.css, to which a test holds them.
	LightPages = []Colour{{0xff, 0xff, 0xff}, {0xf6, 0xf7, 0xf9}, {0xe3, 0xe6, 0xeb}}
	DarkPages  = []Colour{{0x17, 0x1b, 0x22}, {0x0e, 0x11, 0x17}, {0x2b, 0x32, 0x3d}}
)

// Shades are an accent colour made fit for one colour scheme.
type Shades struct {
	Surface Colour // a button: the colour as it was chosen
	Content Colour // text on Surface and on Hover
	Hover   Colour // a button that is pointed at
	Edge    Colour // a line around Surface that can be seen on the page
	Text    Colour // a link on the page
}

// shadeSteps is how finely a colour is moved until it can be read.
const shadeSteps = 64

// Light returns the shades of an accent for light pages, Dark for dark ones. Black or
// white on a colour is always 4.58:1 at least, and what is pointed at moves away from
// its text; a link and an edge keep the chosen colour when that can be seen, and are
// moved towards black or white as far as it takes when not.
func Light(accent Colour) Shades { return shades(accent, LightPages, black) }

// Dark is Light for dark pages.
func Dark(accent Colour) Shades { return shades(accent, DarkPages, white) }

func shades(accent Colour, pages []Colour, away Colour) Shades {
	s := Shades{Surface: accent, Content: white}
	from := black
	if Contrast(black, accent) > Contrast(white, accent) {
		s.Content, from = black, white
	}
	s.Hover = accent.towards(from, shadeSteps/8)
	s.Edge = readable(accent, pages, away, EdgeContrast)
	s.Text = readable(accent, pages, away, TextContrast)
	return s
}

// readable moves a colour until it has the contrast on every page.
func readable(c Colour, pages []Colour, away Colour, contrast float64) Colour {
	for step := range shadeSteps {
		moved, enough := c.towards(away, step), true
		for _, page := range pages {
			enough = enough && Contrast(moved, page) >= contrast
		}
		if enough {
			return moved
		}
	}
	return away
}

// towards mixes a colour with another one, step of shadeSteps of it.
func (c Colour) towards(to Colour, step int) Colour {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(shadeSteps-step) + int(b)*step) / shadeSteps) }
	return Colour{mix(c.R, to.R), mix(c.G, to.G), mix(c.B, to.B)}
}

// Stylesheet is an accent colour as custom properties of the page, for the scheme that
// the browser prefers; "" without a colour.
func Stylesheet(accent string) string {
	c, ok := ParseColour(accent)
	if !ok {
		return ""
	}
	return ":root" + Light(c).properties() + "\n@media (prefers-color-scheme:dark){:root" + Dark(c).properties() + "}\n"
}

// PreviewStylesheet has both schemes at once, for the elements with these classes.
func PreviewStylesheet(accent, lightClass, darkClass string) string {
	c, ok := ParseColour(accent)
	if !ok {
		return ""
	}
	return "." + lightClass + Light(c).properties() + "\n." + darkClass + Dark(c).properties() + "\n"
}

func (s Shades) properties() string {
	return fmt.Sprintf("{--accent:%s;--accent-content:%s;--accent-hover:%s;--accent-edge:%s;--accent-text:%s}", s.Surface, s.Content, s.Hover, s.Edge, s.Text)
}
