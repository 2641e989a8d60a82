package handlers

import (
	"fmt"
	"strconv"

	"github.com/portatill/portatill/pay"
)

// percent writes thousandths as a percentage.
func percent(permille int64) string {
	if permille < 0 {
		return "–"
	}
	return fmt.Sprintf("%d.%d", permille/10, permille%10)
}

// trend tells how a figure changed against the period before. good says which way is good:
// 1 up, -1 down, 0 neither.
func trend(now, before int64, good int) (text, tone string) {
	if before == 0 {
		return "", ""
	}
	change := (now - before) * 1000 / before
	arrow := "→"
	switch {
	case change > 0:
		arrow = "↑"
	case change < 0:
		arrow, good, change = "↓", -good, -change
	default:
		good = 0
	}
	tone = map[int]string{1: "good", -1: "bad"}[good]
	if change >= 10_000 {
		return arrow + " × " + strconv.FormatInt(now/before, 10), tone
	}
	return arrow + " " + percent(change) + " %", tone
}

// most is a count that stopped at pay.AttentionMost.
func most(n int) string {
	if n >= pay.AttentionMost {
		return strconv.Itoa(pay.AttentionMost) + "+"
	}
	return strconv.Itoa(n)
}

// grouped writes a number with a comma after each three digits before the point.
func grouped(text string) string {
	whole, rest := text, ""
	for i, r := range text {
		if r == '.' {
			whole, rest = text[:i], text[i:]
			break
		}
	}
	sign := ""
	if len(whole) > 0 && whole[0] == '-' {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return most(n) + " " + many
}
