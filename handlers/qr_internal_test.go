package handlers

import (
	"fmt"
	"strings"
	"testing"
)

// TestQRPath holds the drawing to what a reader looks for first: three corner marks in a quiet zone.
func TestQRPath(t *testing.T) {
	t.Parallel()
	for _, more := range []int{0, 40, 200} {
		size, path, err := qrPath("otpauth://totp/Portatill:ada@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Portatill&x=" + strings.Repeat("y", more))
		if err != nil {
			t.Fatal(err)
		}
		edge := size - 2*quietZone
		if edge < 21 || (edge-17)%4 != 0 {
			t.Fatalf("%d modules are no QR code", edge)
		}
		dark := map[[2]int]bool{}
		for step := range strings.SplitSeq(strings.TrimSuffix(path, "z"), "z") {
			var x, y int
			if _, err := fmt.Sscanf(step, "M%d %dh1v1h-1", &x, &y); err != nil {
				t.Fatalf("%q: %v", step, err)
			}
			dark[[2]int{x - quietZone, y - quietZone}] = true
		}
		for _, corner := range [][2]int{{0, 0}, {edge - 7, 0}, {0, edge - 7}} {
			for y := range 7 {
				for x := range 7 {
					ring := max(max(x, 6-x), max(y, 6-y)) // 6 at the edge, 3 in the middle
					if want, got := ring != 5, dark[[2]int{corner[0] + x, corner[1] + y}]; got != want {
						t.Fatalf("the corner mark at %v has a module wrong at %d, %d", corner, x, y)
					}
				}
			}
		}
	}
}
