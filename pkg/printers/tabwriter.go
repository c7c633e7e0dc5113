package printers

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// Columns are at least minWidth wide and padding apart, as kubectl's.
const (
	minWidth = 6
	padding  = 3
)

// TabWriter aligns cells in columns by counting runes. A line's last cell is not padded. Widths are remembered from
// flush to flush, so that a stream stays aligned as far as it can.
type TabWriter struct {
	out    io.Writer
	rows   [][]string
	widths []int
}

// NewTabWriter aligns rows on their way to w.
func NewTabWriter(w io.Writer) *TabWriter { return &TabWriter{out: w} }

// Row adds a line.
func (t *TabWriter) Row(cells ...string) { t.rows = append(t.rows, cells) }

// Write takes lines of cells with tabs between.
func (t *TabWriter) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		t.Row(strings.Split(strings.TrimSuffix(line, "\n"), "\t")...)
	}
	return len(p), nil
}

// Widen makes columns at least so wide.
func (t *TabWriter) Widen(column, width int) {
	for len(t.widths) <= column {
		t.widths = append(t.widths, minWidth)
	}
	t.widths[column] = max(t.widths[column], width+padding)
}

// Forget lets the next columns begin anew.
func (t *TabWriter) Forget() { t.widths = nil }

// Flush writes what has come so far.
func (t *TabWriter) Flush() error {
	for _, row := range t.rows {
		for i, cell := range row[:max(len(row)-1, 0)] {
			t.Widen(i, utf8.RuneCountInString(cell))
		}
	}
	var b bytes.Buffer
	for _, row := range t.rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				pad(&b, t.widths[i]-utf8.RuneCountInString(cell))
			}
		}
		b.WriteByte('\n')
		if b.Len() > 64<<10 {
			if _, err := t.out.Write(b.Bytes()); err != nil {
				return err
			}
			b.Reset()
		}
	}
	t.rows = t.rows[:0]
	if b.Len() == 0 {
		return nil
	}
	_, err := t.out.Write(b.Bytes())
	return err
}

const blanks = "                                                                "

func pad(b *bytes.Buffer, n int) {
	for n > len(blanks) {
		b.WriteString(blanks)
		n -= len(blanks)
	}
	if n > 0 {
		b.WriteString(blanks[:n])
	}
}

var terminal = strings.NewReplacer("\x1b", "^[", "\r", "\\r")

// escape keeps data from steering the terminal.
func escape(s string) string {
	if !strings.ContainsAny(s, "\x1b\r") {
		return s
	}
	return terminal.Replace(s)
}
