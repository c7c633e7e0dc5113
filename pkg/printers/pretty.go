package printers

import (
	"io"
	"os"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"golang.org/x/term"
)

// prettyRows is the most rows drawn with care at once; longer tables are drawn in blocks of this size, each as wide as
// the ones before.
const prettyRows = 1000

// narrow is the width below which a column is not shortened to fit the window.
const narrow = 12

// Pretty draws tables for a person: widths as the terminal shows them, fitted to the window, in colour unless NO_COLOR is set.
type Pretty struct {
	inner  *TableWriter
	out    io.Writer
	window int
	colour bool
	widths []int
	name   int // the column of names, which one wants to copy whole
}

// NewPretty draws to w; screen is the terminal whose size counts.
func NewPretty(w io.Writer, screen any, o TableOptions) *Pretty {
	p := &Pretty{inner: NewTableWriter(nil, o), out: w}
	if f, ok := screen.(*os.File); ok {
		p.window, _, _ = term.GetSize(int(f.Fd()))
	}
	_, noColour := os.LookupEnv("NO_COLOR")
	p.colour = !noColour && os.Getenv("TERM") != "dumb"
	return p
}

// Add draws a table's rows; see TableWriter.
func (p *Pretty) Add(t *Table, event string) {
	p.inner.Add(t, event)
}

// Flush writes what was added.
func (p *Pretty) Flush() error {
	rows := p.inner.tab.rows
	p.inner.tab.rows = nil
	for len(rows) > 0 {
		n := min(len(rows), prettyRows)
		if err := p.draw(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func (p *Pretty) draw(rows [][]string) error {
	p.measure(rows)
	widths := fit(p.widths, p.window, p.name)
	mapper := tw.NewMapper[int, int]()
	for i, w := range widths {
		mapper.Set(i, w+padding)
	}
	table := tablewriter.NewTable(p.out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithPadding(tw.Padding{Right: strings.Repeat(" ", padding), Overwrite: true}),
		tablewriter.WithAlignment(tw.MakeAlign(len(widths), tw.AlignLeft)),
		tablewriter.WithRowAutoWrap(tw.WrapNone), tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithColumnWidths(mapper),
	)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			shown := cell
			if twwidth.Width(cell) > widths[i] {
				shown = twwidth.Truncate(cell, widths[i]-1, "") + "…"
			}
			cells[i] = p.paint(shown, cell)
		}
		if err := table.Append(cells); err != nil {
			return err
		}
	}
	return table.Render()
}

// measure widens the columns to what rows need.
func (p *Pretty) measure(rows [][]string) {
	for _, row := range rows {
		for i, cell := range row {
			if i >= len(p.widths) {
				p.widths = append(p.widths, 0)
			}
			p.widths[i] = max(p.widths[i], twwidth.Width(cell))
			if cell == "NAME" {
				p.name = i
			}
		}
	}
}

// fit takes from the widest columns but one until all fit in the window.
func fit(widths []int, window, keep int) []int {
	out := append([]int(nil), widths...)
	if window <= 0 {
		return out
	}
	for {
		total, widest := 0, -1
		for i, w := range out {
			total += w + padding
			if i != keep && (widest < 0 || w > out[widest]) {
				widest = i
			}
		}
		if total-padding <= window || widest < 0 || out[widest] <= narrow {
			return out
		}
		out[widest] = max(narrow, out[widest]-(total-padding-window))
	}
}

// The colours of states: good, on the way, bad.
var colours = map[string]string{
	"Running": "32", "Ready": "32", "Active": "32", "Bound": "32", "Completed": "32", "Succeeded": "32", "Complete": "32",
	"Pending": "33", "ContainerCreating": "33", "Terminating": "33", "PodInitializing": "33", "Unknown": "33",
	"Failed": "31", "Error": "31", "CrashLoopBackOff": "31", "ImagePullBackOff": "31", "ErrImagePull": "31", "OOMKilled": "31", "NotReady": "31", "Evicted": "31",
}

// paint colours a cell that is a state.
func (p *Pretty) paint(shown, whole string) string {
	code, ok := colours[whole]
	if !p.colour || !ok {
		return shown
	}
	return "\x1b[" + code + "m" + shown + "\x1b[0m"
}
