package csvout_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portatill/portatill/internal/csvout"
)

// read reads a file back as RFC 4180 has it.
func read(t interface{ Fatalf(string, ...any) }, file []byte) [][]string {
	r := csv.NewReader(bytes.NewReader(file))
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatalf("encoding/csv: %v in %q", err, file)
	}
	return rows
}

// runs is the test's own idea of what a spreadsheet runs.
func runs(cell string) bool {
	for _, start := range []string{"\t", "\r", "\n"} {
		if strings.HasPrefix(cell, start) {
			return true
		}
	}
	seen := strings.TrimLeft(cell, " \t\r\n\u00a0\u3000\ufeff\u200b\u2028\v\f\u0085")
	for _, start := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(seen, start) {
			return true
		}
	}
	return false
}

// hostile are texts as an attacker sends them, and as nobody means them.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.Custom(func(t *rapid.T) string {
			parts := rapid.SliceOfN(rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "\n", "\r\n", "\r\r\n", "＝", "＋", "－", "＠", "'", `"`, `""`, ",", ";", "|", " ",
				"\u00a0", "\ufeff", "\u200b", "\x00", "\x1b[2J", "\u009b", "\xff", "cmd|' /C calc'!A0", `HYPERLINK("http://evil","x")`, "1", "2.50", "Zoë", "東京", "…"}), 0, 8).Draw(t, "parts")
			return strings.Join(parts, "")
		}))
}

// kept is what of a text must come back.
func kept(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	for strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	var b strings.Builder
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

func TestWhateverNamesPeopleHave(t *testing.T) {
	t.Parallel()
	t.Run("NoCellIsAFormulaAndTheTextComesBack", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			texts := rapid.SliceOfN(hostile(), 1, 5).Draw(t, "texts")
			cells := make([]csvout.Cell, len(texts))
			for i, s := range texts {
				cells[i] = csvout.Text(s)
			}
			var file bytes.Buffer
			w := csvout.NewWriter(&file, make([]string, len(texts))...)
			if err := w.Write(cells...); err != nil {
				t.Fatal(err)
			}
			rows := read(t, file.Bytes())
			if len(rows) != 2 || len(rows[1]) != len(texts) {
				t.Fatalf("%q became %q", texts, rows)
			}
			for i, cell := range rows[1] {
				if runs(cell) {
					t.Errorf("%q became the formula %q", texts[i], cell)
				}
				want := kept(texts[i])
				if cell != want && cell != "'"+want {
					t.Errorf("%q came back as %q", texts[i], cell)
				}
				if cell != want && !strings.ContainsAny(want, "=+-@\t\r\n＝＋－＠−") {
					t.Errorf("%q is no formula, and became %q", texts[i], cell)
				}
			}
		})
	})
	t.Run("ASeparatorOfAnotherCountryDoesNotMakeACell", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			var file bytes.Buffer
			w := csvout.NewWriter(&file, "h")
			if err := w.Write(csvout.Text(hostile().Draw(t, "text"))); err != nil {
				t.Fatal(err)
			}
			for _, comma := range []rune{';', '\t', '|'} {
				r := csv.NewReader(bytes.NewReader(file.Bytes()))
				r.Comma = comma
				rows, err := r.ReadAll()
				if err != nil || len(rows) != 2 || len(rows[1]) != 1 {
					t.Fatalf("with %q: %v %q", comma, err, rows)
				}
			}
		})
	})
	t.Run("AnApostropheOfTheirOwnIsToldFromOurs", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{"=1": "'=1", "'=1": "''=1", "''=1": "'''=1", "'Allo": "'Allo", "'": "'", "O'Neill": "O'Neill", "": ""} {
			if got := csvout.Text(text).String(); got != want {
				t.Errorf("%q became %q, want %q", text, got, want)
			}
		}
	})
	t.Run("ANumberStaysOneAndNothingElsePassesForOne", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{"-12.50": "-12.50", "0.00": "0.00", "7": "7", "": "", "-1+cmd": "'-1+cmd", "=1": "'=1", "-": "'-", "+1": "'+1", "1e3": "1e3", "-1.": "'-1.", "-1\n": "'-1\n"} {
			if got := csvout.Number(text).String(); got != want {
				t.Errorf("%q became %q, want %q", text, got, want)
			}
		}
		if csvout.Int(-5).String() != "-5" || csvout.Count(0).String() != "" || csvout.Count(7).String() != "7" {
			t.Error("whole numbers")
		}
	})
}

func TestAFile(t *testing.T) {
	t.Parallel()
	t.Run("IsAsRFC4180HasIt", func(t *testing.T) {
		t.Parallel()
		var file bytes.Buffer
		w := csvout.NewWriter(&file, "day", "name", "amount")
		for _, row := range [][]csvout.Cell{
			{csvout.Text("2026-11-22"), csvout.Text(`Zoë "Z", Ltd`), csvout.Number("-1.00")},
			{csvout.Text(""), csvout.Text("=1+1"), csvout.Number("")},
			{csvout.Text("2026-11-22T10:00:00Z"), csvout.Text("two\r\nlines"), csvout.Number("12")},
		} {
			if err := w.Write(row...); err != nil {
				t.Fatal(err)
			}
		}
		want := "day,name,amount\r\n2026-11-22,\"Zoë \"\"Z\"\", Ltd\",-1.00\r\n,\"'=1+1\",\r\n2026-11-22T10:00:00Z,\"two\nlines\",12\r\n"
		if diff := cmp.Diff(want, file.String()); diff != "" {
			t.Errorf("want − got +:\n%s", diff)
		}
	})
	t.Run("KeepsItsFirstErrorAndIsNotWrittenOn", func(t *testing.T) {
		t.Parallel()
		full := &broken{after: 1}
		w := csvout.NewWriter(full, "a")
		for range 3 {
			if err := w.Write(csvout.Text("x")); !errors.Is(err, errFull) {
				t.Errorf("got %v", err)
			}
		}
		if !errors.Is(w.Err(), errFull) || full.calls != 2 {
			t.Errorf("%v after %d writes", w.Err(), full.calls)
		}
	})
}

var errFull = errors.New("the disk is full")

// broken is a file that takes some writes and no more.
type broken struct{ after, calls int }

func (b *broken) Write(p []byte) (int, error) {
	b.calls++
	if b.calls > b.after {
		return 0, errFull
	}
	return len(p), nil
}
