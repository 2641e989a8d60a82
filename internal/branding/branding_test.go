package branding_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portatill/portatill/internal/branding"
	"github.com/portatill/portatill/pay"
)

func TestAnyAccentColourCanBeRead(t *testing.T) {
	t.Parallel()
	// Every fifth value of each channel, both ends among them: 140,608 colours.
	for scheme, c := range map[string]struct {
		shades func(branding.Colour) branding.Shades
		pages  []branding.Colour
	}{"Light": {branding.Light, branding.LightPages}, "Dark": {branding.Dark, branding.DarkPages}} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			faults := 0
			hold := func(what string, accent, a, b branding.Colour, least float64) {
				if got := branding.Contrast(a, b); got < least && faults < 10 {
					faults++
					t.Errorf("%s of %s: %s on %s is %.2f:1", what, accent, a, b, got)
				}
			}
			for r := 0; r <= 255; r += 5 {
				for g := 0; g <= 255; g += 5 {
					for b := 0; b <= 255; b += 5 {
						accent := branding.Colour{R: uint8(r), G: uint8(g), B: uint8(b)}
						s := c.shades(accent)
						hold("the button's text", accent, s.Content, s.Surface, branding.TextContrast)
						hold("the button's text, pointed at,", accent, s.Content, s.Hover, branding.TextContrast)
						readable := true
						for _, page := range c.pages {
							hold("the link", accent, s.Text, page, branding.TextContrast)
							hold("the button's edge", accent, s.Edge, page, branding.EdgeContrast)
							readable = readable && branding.Contrast(accent, page) >= branding.TextContrast
						}
						if s.Surface != accent || readable && s.Text != accent {
							t.Fatalf("%s could be read, and was changed to %+v", accent, s)
						}
					}
				}
			}
		})
	}
}

func TestContrastIsWCAGs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#0f766e", "#ffffff", 5.47}, {"#ffffff", "#ffffff", 1}, {"#ff0000", "#ffffff", 4.00}} {
		a, _ := branding.ParseColour(c.a)
		b, _ := branding.ParseColour(c.b)
		if got := branding.Contrast(a, b); got < c.want-0.005 || got > c.want+0.005 || got != branding.Contrast(b, a) {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// TestThePagesAreThoseOfTheStylesheet holds the colours that shades are made for to
// those that pages have.
func TestThePagesAreThoseOfTheStylesheet(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("../../build/css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile(`--color-base-[123]00: (#[0-9a-f]{6});`).FindAllStringSubmatch(string(css), -1) {
		got = append(got, m[1])
	}
	var want []string
	for _, page := range append(append([]branding.Colour{}, branding.LightPages...), branding.DarkPages...) {
		want = append(want, page.String())
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("branding's pages − app.css's +\n%s", d)
	}
}

func TestAColourIsSixDigitsAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "#", "red", "#fff", "0f766e", "#0f766", "#0f766ee", "#0f766g", "#+f766e", "#-f766e", "#0f766e;}", "#0_766e", "##0f766"} {
		if c, ok := branding.ParseColour(text); ok {
			t.Errorf("%q is %s", text, c)
		}
		if got := branding.Stylesheet(text); got != "" {
			t.Errorf("the stylesheet of %q is %q", text, got)
		}
	}
	if c, ok := branding.ParseColour("#0F766e"); !ok || c.String() != "#0f766e" {
		t.Errorf("got %s, %v", c, ok)
	}
	if got := branding.Stylesheet("#0f766e"); !strings.HasPrefix(got, ":root{--accent:#0f766e;--accent-content:#ffffff;") || strings.Count(got, "--accent-text:") != 2 {
		t.Errorf("the stylesheet is %s", got)
	}
	if got := branding.PreviewStylesheet("#0f766e", "a", "b"); !strings.HasPrefix(got, ".a{--accent:#0f766e;") || !strings.Contains(got, "\n.b{--accent:#0f766e;") {
		t.Errorf("the preview's stylesheet is %s", got)
	}
}

func encoded(t *testing.T, kind string, picture image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if kind == "jpeg" {
		err = jpeg.Encode(&b, picture, nil)
	} else {
		err = png.Encode(&b, picture)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withChunk puts a text chunk into a PNG file, behind its header.
func withChunk(raw []byte, kind, content string) []byte {
	const header = 8 + 25
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	chunk = append(chunk, kind+content...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE([]byte(kind+content)))
	return append(append(append([]byte{}, raw[:header]...), chunk...), raw[header:]...)
}

// bomb is a small file that says it is a picture of this size.
func bomb(t *testing.T, width, height uint32) []byte {
	raw := encoded(t, "png", image.NewGray(image.Rect(0, 0, 2, 2)))
	binary.BigEndian.PutUint32(raw[16:], width)
	binary.BigEndian.PutUint32(raw[20:], height)
	binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
	return raw
}

func TestALogoIsMadeAnew(t *testing.T) {
	t.Parallel()
	t.Run("WithoutWhatElseWasInTheFile", func(t *testing.T) {
		t.Parallel()
		const canary = "canary<script>alert(1)</script>"
		raw := encoded(t, "png", image.NewNRGBA(image.Rect(0, 0, 20, 10)))
		photo := encoded(t, "jpeg", image.NewNRGBA(image.Rect(0, 0, 20, 10)))
		exif := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(canary) + 8)}, "Exif\x00\x00"+canary...)
		for name, file := range map[string][]byte{"TextChunk": withChunk(raw, "tEXt", "Comment\x00"+canary), "BehindTheEnd": append(raw, canary...), "EXIF": append(exif, photo[2:]...)} {
			logo, fault := branding.MakeLogo(file)
			if fault != "" || bytes.Contains(logo.Bytes, []byte("canary")) || !bytes.Contains(file, []byte("canary")) {
				t.Errorf("%s: %q, canary kept: %v", name, fault, bytes.Contains(logo.Bytes, []byte("canary")))
			}
		}
	})
	t.Run("SmallEnoughForEveryPage", func(t *testing.T) {
		t.Parallel()
		noise := image.NewNRGBA(image.Rect(0, 0, 2000, 1500))
		for i := range noise.Pix {
			noise.Pix[i] = uint8(rand.Uint32())
		}
		for kind, picture := range map[string]image.Image{"png": noise, "jpeg": noise} {
			file := encoded(t, kind, picture)
			if len(file) > branding.MaxUpload { // noise of this size is more than anybody may upload
				file = encoded(t, kind, noise.SubImage(image.Rect(0, 0, 700, 500)))
			}
			logo, fault := branding.MakeLogo(file)
			if fault != "" || len(logo.Bytes) > pay.MaxLogo || logo.MediaType != "image/"+kind {
				t.Fatalf("%s: %q, %d bytes of %s", kind, fault, len(logo.Bytes), logo.MediaType)
			}
			if mediaType, problem := pay.LogoType(logo.Bytes); problem != "" || mediaType != logo.MediaType {
				t.Errorf("it cannot be stored: %s %s", mediaType, problem)
			}
		}
	})
	t.Run("WithItsColoursAndShape", func(t *testing.T) {
		t.Parallel()
		picture := image.NewNRGBA(image.Rect(5, 5, 1205, 605))
		for y := 5; y < 605; y++ {
			for x := 5; x < 605; x++ {
				picture.SetNRGBA(x, y, color.NRGBA{15, 118, 110, 255})
			}
		}
		logo, fault := branding.MakeLogo(encoded(t, "png", picture))
		if fault != "" {
			t.Fatal(fault)
		}
		got, err := png.Decode(bytes.NewReader(logo.Bytes))
		if err != nil || got.Bounds() != image.Rect(0, 0, 512, 256) {
			t.Fatalf("%v, %v", got.Bounds(), err)
		}
		if left := color.NRGBAModel.Convert(got.At(10, 10)); left != (color.NRGBA{15, 118, 110, 255}) {
			t.Errorf("the left is %v", left)
		}
		if _, _, _, alpha := got.At(500, 100).RGBA(); alpha != 0 {
			t.Errorf("what was transparent has alpha %d", alpha)
		}
	})
	t.Run("OrRefusedInWords", func(t *testing.T) {
		t.Parallel()
		whole := encoded(t, "png", image.NewNRGBA(image.Rect(0, 0, 64, 64)))
		for name, c := range map[string]struct {
			file []byte
			want string
		}{
			"SVG":        {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "PNG or JPEG"},
			"GIF":        {[]byte("GIF89a\x01\x00\x01\x00"), "PNG or JPEG"},
			"WebP":       {[]byte("RIFF\x1a\x00\x00\x00WEBPVP8L"), "PNG or JPEG"},
			"Nothing":    {nil, "PNG or JPEG"},
			"HTML":       {[]byte("\x89PNG<html>"), "PNG or JPEG"},
			"CutOff":     {whole[:len(whole)/2], "damaged"},
			"TooLong":    {bytes.Repeat([]byte("x"), branding.MaxUpload+1), "2 MB"},
			"BombWide":   {bomb(t, 1<<30, 1), "4096 pixels"},
			"BombBig":    {bomb(t, 4096, 4096), "million pixels"},
			"BombNoData": {bomb(t, 2000, 2000), "damaged"},
		} {
			if logo, fault := branding.MakeLogo(c.file); !strings.Contains(fault, c.want) || logo.Bytes != nil {
				t.Errorf("%s: %q", name, fault)
			}
		}
	})
}
