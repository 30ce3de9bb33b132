package web

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"

	"github.com/vaguemestre/vaguemestre/account"
)

// drawing is a picture of dark squares for an inline SVG: no image is loaded, and it
// grows with the page. It is always dark on white, as readers of codes want it.
type drawing struct {
	// Box is the SVG's viewBox, Path its d.
	Box, Path string
}

// drawCode draws the QR code of a second factor.
func drawCode(e account.Enrolment) (drawing, error) {
	const size = 256 // pixels: a whole number of them for each module
	data, err := e.PNG(size)
	if err != nil {
		return drawing{}, err
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return drawing{}, err
	}
	return trace(picture), nil
}

// trace writes a picture of two colours as a path of rectangles: one for each run of
// dark pixels, as high as the rows below it are the same.
func trace(picture image.Image) drawing {
	b := picture.Bounds()
	var path strings.Builder
	for y := b.Min.Y; y < b.Max.Y; {
		height := 1
		for y+height < b.Max.Y && sameRow(picture, y, y+height) {
			height++
		}
		for x := b.Min.X; x < b.Max.X; {
			if !dark(picture, x, y) {
				x++
				continue
			}
			start := x
			for x < b.Max.X && dark(picture, x, y) {
				x++
			}
			fmt.Fprintf(&path, "M%d %dh%dv%dh-%dz", start, y, x-start, height, x-start)
		}
		y += height
	}
	return drawing{fmt.Sprintf("%d %d %d %d", b.Min.X-16, b.Min.Y-16, b.Dx()+32, b.Dy()+32), path.String()}
}

func dark(picture image.Image, x, y int) bool {
	r, g, b, _ := picture.At(x, y).RGBA()
	return r+g+b < 3*0x8000
}

func sameRow(picture image.Image, a, b int) bool {
	for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
		if dark(picture, x, a) != dark(picture, x, b) {
			return false
		}
	}
	return true
}
