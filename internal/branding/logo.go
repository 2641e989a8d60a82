package branding

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"github.com/portatill/portatill/pay"
)

// Limits of a file that is uploaded as a logo. A file is looked at before it is decoded:
// a few kilobytes can say that they are a picture of gigabytes.
const (
	MaxUpload    = 2 << 20
	maxSide      = 4096
	maxPixels    = 6_000_000
	largestSide  = 512 // what is kept; pages show a logo 36 pixels high
	smallestSide = 96
)

// decoding bounds how many pictures are decoded at once, and so the memory it takes:
// two pictures of maxPixels at eight bytes each.
var decoding = make(chan struct{}, 2)

// Logo is a picture made anew from one that was uploaded.
type Logo struct {
	Bytes     []byte
	MediaType string // image/png or image/jpeg
}

// MakeLogo decodes an uploaded PNG or JPEG file and encodes it anew, at most 512 pixels
// wide and high and at most pay.MaxLogo bytes: whatever else was in the file (names,
// places, scripts, a second file behind it) is gone. fault says in words what is wrong
// with the file, "" when nothing is.
func MakeLogo(raw []byte) (logo Logo, fault string) {
	if len(raw) > MaxUpload {
		return Logo{}, fmt.Sprintf("must have at most %d MB", MaxUpload>>20)
	}
	config, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || kind != "png" && kind != "jpeg" {
		return Logo{}, "must be a PNG or JPEG picture (no SVG, WebP or GIF)"
	}
	switch {
	case config.Width > maxSide || config.Height > maxSide:
		return Logo{}, fmt.Sprintf("must be at most %d pixels wide and high, not %d × %d", maxSide, config.Width, config.Height)
	case config.Width*config.Height > maxPixels:
		return Logo{}, fmt.Sprintf("must have at most %d million pixels, not %d × %d", maxPixels/1_000_000, config.Width, config.Height)
	case config.Width == 0 || config.Height == 0:
		return Logo{}, "has no pixels"
	}
	decoding <- struct{}{}
	defer func() { <-decoding }()
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return Logo{}, "is damaged: it cannot be read to its end"
	}
	// A picture of noise does not compress; it is made smaller until it fits.
	for side := largestSide; side >= smallestSide; side = side * 3 / 4 {
		logo, err := encode(shrink(picture, side), kind)
		if err != nil {
			return Logo{}, "cannot be encoded anew"
		}
		if len(logo.Bytes) <= pay.MaxLogo {
			return logo, ""
		}
	}
	return Logo{}, "cannot be made small enough"
}

func encode(picture image.Image, kind string) (Logo, error) {
	var b bytes.Buffer
	if kind == "jpeg" {
		err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 90})
		return Logo{b.Bytes(), "image/jpeg"}, err
	}
	err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, picture)
	return Logo{b.Bytes(), "image/png"}, err
}

// shrink returns the picture with neither side longer than side, each pixel the mean of
// those that it stands for. A picture that is small enough is copied as it is.
func shrink(picture image.Image, side int) *image.NRGBA {
	from := picture.Bounds()
	w, h := from.Dx(), from.Dy()
	if longest := max(w, h); longest > side {
		w, h = max(1, w*side/longest), max(1, h*side/longest)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.SetNRGBA(x, y, mean(picture, image.Rect(
				from.Min.X+x*from.Dx()/w, from.Min.Y+y*from.Dy()/h,
				from.Min.X+(x+1)*from.Dx()/w, from.Min.Y+(y+1)*from.Dy()/h)))
		}
	}
	return out
}

// mean is the mean colour of a part of a picture, weighted by how opaque each pixel is:
// RGBA gives channels that are multiplied by alpha already.
func mean(picture image.Image, part image.Rectangle) color.NRGBA {
	var r, g, b, a, n uint64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			pr, pg, pb, pa := picture.At(x, y).RGBA()
			r, g, b, a, n = r+uint64(pr), g+uint64(pg), b+uint64(pb), a+uint64(pa), n+1
		}
	}
	if a == 0 {
		return color.NRGBA{}
	}
	channel := func(sum uint64) uint8 { return uint8(min(255, sum*255/a)) }
	return color.NRGBA{channel(r), channel(g), channel(b), uint8(a / n >> 8)}
}
