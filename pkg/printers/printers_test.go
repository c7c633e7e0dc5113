package printers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func object(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": name, "labels": map[string]any{"app": "web"}, "managedFields": []any{map[string]any{"manager": "x"}}},
		"spec":     map[string]any{"replicas": int64(3), "hosts": []any{"a", "b"}, "text": "<&>"},
	}}
}

func list(names ...string) *unstructured.UnstructuredList {
	l := &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}}}
	for _, n := range names {
		l.Items = append(l.Items, *object(n))
	}
	return l
}

func TestFormats(t *testing.T) {
	columns := filepath.Join(t.TempDir(), "columns")
	if err := os.WriteFile(columns, []byte("WHO    N\nmetadata.name  spec.replicas\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options   Options
		operation string
		objs      []runtime.Object
		want      string
	}{
		{Options{}, "created", []runtime.Object{object("web")}, "deployment.apps/web created\n"},
		{Options{Output: "name"}, "created", []runtime.Object{object("web")}, "deployment.apps/web\n"},
		{Options{Output: "name"}, "", []runtime.Object{list("a", "b")}, "deployment.apps/a\ndeployment.apps/b\n"},
		{Options{Output: "jsonpath={.spec.replicas} {.spec.hosts[*]}"}, "", []runtime.Object{object("web")}, "3 a b"},
		{Options{Output: "jsonpath={.none}", AllowMissingKeys: true}, "", []runtime.Object{object("web")}, ""},
		{Options{Output: "jsonpath={.items[*].metadata.name}"}, "", []runtime.Object{list("a", "b")}, "a b"},
		{Options{Output: "jsonpath-as-json={.metadata.labels}"}, "", []runtime.Object{object("web")}, "[\n    {\n        \"app\": \"web\"\n    }\n]\n"},
		{Options{Output: "go-template={{.metadata.name}} {{exists .spec \"replicas\"}} {{exists .spec \"none\" 0}}"}, "", []runtime.Object{object("web")}, "web true false"},
		{Options{Template: "{{base64decode \"aGk=\"}}"}, "", []runtime.Object{object("web")}, "hi"},
		{Options{Output: "custom-columns=NAME:.metadata.name,HOSTS:{.spec.hosts[*]},NONE:x", Columns: true}, "", []runtime.Object{list("a", "long-name")},
			"NAME        HOSTS   NONE\na           a,b     <none>\nlong-name   a,b     <none>\n"},
		{Options{Output: "custom-columns=NAME:.metadata.name", NoHeaders: true, Columns: true}, "", []runtime.Object{object("a")}, "a\n"},
		{Options{Output: "custom-columns-file=" + columns, Columns: true}, "", []runtime.Object{object("a")}, "WHO   N\na     3\n"},
	} {
		p, err := test.options.Printer(test.operation)
		if err != nil {
			t.Errorf("%+v: %v", test.options, err)
			continue
		}
		var got bytes.Buffer
		for _, o := range test.objs {
			if err := p.Print(o, &got); err != nil {
				t.Errorf("%+v: %v", test.options, err)
			}
		}
		if got.String() != test.want {
			t.Errorf("%+v: got %q, want %q", test.options, got.String(), test.want)
		}
	}
}

func TestFormatErrors(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{Output: "nope"}, `unable to match a printer suitable for the output format "nope", allowed formats are: go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,yaml`},
		{Options{Output: "wide"}, `unable to match a printer suitable for the output format "wide"`},
		{Options{Output: "jsonpath"}, "template format specified but no template given"},
		{Options{Output: "jsonpath={.a"}, "error parsing jsonpath {.a, unclosed action"},
		{Options{Output: "go-template={{"}, "error parsing template {{, template: output:1: unclosed action"},
		{Options{Output: "jsonpath-file=nope"}, "error reading --template nope, open nope: no such file or directory"},
		{Options{Output: "custom-columns", Columns: true}, "custom-columns format specified but no custom columns given"},
		{Options{Output: "custom-columns=A", Columns: true}, "unexpected custom-columns spec: A, expected <header>:<json-path-expr>"},
		{Options{Output: "custom-columns=A:{.a}{.b}", Columns: true}, "unexpected path string"},
	} {
		if _, err := test.options.Printer(""); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %q", test.options, err, test.want)
		}
	}
}

func TestJSONAndYAMLLeaveOutManagedFields(t *testing.T) {
	for _, format := range []string{"json", "yaml", "kyaml"} {
		for _, show := range []bool{false, true} {
			o := Options{Output: format, ShowManagedFields: show}
			p, err := o.Printer("")
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			obj := object("web")
			if err := p.Print(obj, &got); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.String(), "managedFields") != show {
				t.Errorf("-o %s with managed fields %v: got %s", format, show, got.String())
			}
			if obj.GetManagedFields() == nil {
				t.Errorf("-o %s changed the object", format)
			}
		}
	}
	var got bytes.Buffer
	p, _ := (&Options{Output: "json"}).Printer("")
	if err := p.Print(object("web"), &got); err != nil {
		t.Fatal(err)
	}
	if want := "        \"text\": \"\\u003c\\u0026\\u003e\"\n"; !strings.Contains(got.String(), want) {
		t.Errorf("got %s, want it to hold %s", got.String(), want)
	}
}

func TestYAMLSeparatesDocuments(t *testing.T) {
	p, _ := (&Options{Output: "yaml"}).Printer("")
	var got bytes.Buffer
	for _, n := range []string{"a", "b", "c"} {
		if err := p.Print(object(n), &got); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(got.String(), "---\n"); n != 2 || strings.HasPrefix(got.String(), "---") {
		t.Errorf("%d separators: %s", n, got.String())
	}
	if err := p.Print(&metav1.Status{}, &got); err == nil {
		t.Error("an object without a kind was printed")
	}
}

func table(rows ...[]any) *Table {
	t := &Table{Kind: "Table", APIVersion: "meta.k8s.io/v1", Columns: []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name"}, {Name: "Ready", Type: "string"}, {Name: "Note", Type: "string"}, {Name: "IP", Type: "string", Priority: 1},
	}}
	for i, cells := range rows {
		t.Rows = append(t.Rows, TableRow{Cells: cells, Object: rowObject(fmt.Sprintf(`{"metadata":{"namespace":"ns%d","labels":{"app":"web","example.com/tier":"t%d"}}}`, i, i))})
	}
	return t
}

func TestTable(t *testing.T) {
	rows := [][]any{{"redis", "1/1", nil, "10.0.0.1"}, {"web-long-name", int64(12), "two\nlines", "10.0.0.2"}}
	for _, test := range []struct {
		name string
		o    TableOptions
		want string
	}{
		{"plain", TableOptions{}, "NAME            READY   NOTE\nredis           1/1     \nweb-long-name   12      two...\n"},
		{"no headers", TableOptions{NoHeaders: true}, "redis           1/1   \nweb-long-name   12    two...\n"},
		{"wide", TableOptions{Wide: true}, "NAME            READY   NOTE        IP\nredis           1/1                 10.0.0.1\nweb-long-name   12      two...      10.0.0.2\n"},
		{"namespace", TableOptions{WithNamespace: true}, "NAMESPACE   NAME            READY   NOTE\nns0         redis           1/1     \nns1         web-long-name   12      two...\n"},
		{"kind", TableOptions{WithKind: true, Kind: schema.GroupKind{Group: "apps", Kind: "Deployment"}},
			"NAME                            READY   NOTE\ndeployment.apps/redis           1/1     \ndeployment.apps/web-long-name   12      two...\n"},
		{"labels", TableOptions{ColumnLabels: []string{"example.com/tier", "none"}}, "NAME            READY   NOTE        TIER   NONE\nredis           1/1                 t0     \nweb-long-name   12      two...      t1     \n"},
		{"all labels", TableOptions{ShowLabels: true}, "NAME            READY   NOTE        LABELS\nredis           1/1                 app=web,example.com/tier=t0\nweb-long-name   12      two...      app=web,example.com/tier=t1\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got bytes.Buffer
			w := NewTableWriter(&got, test.o)
			w.Add(table(rows...), "")
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if got.String() != test.want {
				t.Errorf("got\n%s\nwant\n%s", got.String(), test.want)
			}
		})
	}
}

func TestTableOfAWatch(t *testing.T) {
	var got bytes.Buffer
	w := NewTableWriter(&got, TableOptions{})
	for i, name := range []string{"long-enough", "b"} {
		tab := table([]any{name, "1/1", "x", ""})
		if i > 0 {
			tab.Columns = nil
		}
		w.Add(tab, "ADDED")
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	want := "EVENT      NAME          READY   NOTE\nADDED      long-enough   1/1     x\nADDED      b             1/1     x\n"
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestEscapes(t *testing.T) {
	if got := shorten("a\x1b[31mb\rc"); got != "a^[[31mb..." {
		t.Errorf("got %q", got)
	}
}

func TestParseTable(t *testing.T) {
	body := `{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{"name":"N"}],"rows":[{"cells":[1000000,"a",true,null,1.5]}]}`
	tab, ok, err := ParseTable([]byte(body))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	var got []string
	for i := range tab.Rows[0].Cells {
		got = append(got, tab.Rows[0].text(i))
	}
	if strings.Join(got, "|") != "1000000|a|true||1.5" {
		t.Errorf("got %v", got)
	}
	if _, ok, _ := ParseTable([]byte(`{"kind":"Pod"}`)); ok {
		t.Error("a pod is taken for a table")
	}
}

func TestSort(t *testing.T) {
	objs := func(values ...any) (out []unstructured.Unstructured) {
		for i, v := range values {
			o := map[string]any{"metadata": map[string]any{"name": fmt.Sprint(i)}}
			if v != nil {
				o["v"] = v
			}
			out = append(out, unstructured.Unstructured{Object: o})
		}
		return out
	}
	for _, test := range []struct {
		values []any
		field  string
		want   string
		err    string
	}{
		{[]any{int64(3), int64(1), int64(2)}, ".v", "1 2 0", ""},
		{[]any{"b", "a"}, "{.v}", "1 0", ""},
		{[]any{"1Gi", "500Mi", "2Ki"}, "v", "2 1 0", ""},
		{[]any{"b", nil}, ".v", "1 0", ""},
		{[]any{true, false}, ".v", "", "unsortable type: bool"},
		{[]any{"a", int64(1)}, ".v", "", "unsortable interface: interface"},
		{[]any{"a"}, ".nope", "", `couldn't find any field with path "{.nope}" in the list of objects`},
	} {
		items := objs(test.values...)
		err := SortObjects(items, test.field)
		if test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%v by %s: got %v, want %s", test.values, test.field, err, test.err)
			}
			continue
		}
		var got []string
		for _, i := range items {
			got = append(got, i.GetName())
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%v by %s: got %v, %v, want %s", test.values, test.field, got, err, test.want)
		}
	}
}

func TestFit(t *testing.T) {
	for _, test := range []struct {
		widths []int
		window int
		want   string
	}{
		{[]int{10, 20}, 0, "[10 20]"},
		{[]int{10, 20}, 100, "[10 20]"},
		{[]int{10, 60, 5}, 50, "[10 29 5]"},
		{[]int{60, 30, 5}, 90, "[60 19 5]"},
		{[]int{12, 12, 12}, 10, "[12 12 12]"},
	} {
		if got := fmt.Sprint(fit(test.widths, test.window, 0)); got != test.want {
			t.Errorf("fit(%v, %d) = %s, want %s", test.widths, test.window, got, test.want)
		}
	}
}

func TestPrettyCountsWhatTheTerminalShows(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	var got bytes.Buffer
	p := NewPretty(&got, nil, TableOptions{})
	p.Add(table([]any{"数据库", "1/1", "x", ""}, []any{"redis", "1/1", "x", ""}), "")
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(got.String(), "\n"), "\n")
	// Three characters of two cells are as wide as six letters.
	if len(lines) != 3 || !strings.HasPrefix(lines[1], "数据库   1/1") || !strings.HasPrefix(lines[2], "redis    1/1") {
		t.Errorf("got\n%s", got.String())
	}
}

func TestPrettyColours(t *testing.T) {
	p := &Pretty{colour: true}
	if got := p.paint("Running", "Running"); got != "\x1b[32mRunning\x1b[0m" {
		t.Errorf("got %q", got)
	}
	if got := p.paint("redis", "redis"); got != "redis" {
		t.Errorf("got %q", got)
	}
}

func TestMetadataTable(t *testing.T) {
	created := time.Now().Add(-5 * time.Minute).UTC().Format(time.RFC3339)
	tab, err := MetadataTable([]json.RawMessage{[]byte(`{"metadata":{"name":"a","creationTimestamp":"` + created + `"}}`), []byte(`{"metadata":{"name":"b"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tab.Rows[0].Cells, tab.Rows[1].Cells); got != "[a 5m] [b <unknown>]" && got != "[a 5m0s] [b <unknown>]" {
		t.Errorf("got %s", got)
	}
}

func FuzzRelaxedPath(f *testing.F) {
	for _, s := range []string{"", ".metadata.name", "{.a[*].b}", "{a}{b}", "a.b", "{.a[?(@.b==\"c\")]}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		p, err := (&Options{Output: "custom-columns=A:" + expr, Columns: true}).Printer("")
		if err != nil {
			return
		}
		_ = p.Print(object("web"), &bytes.Buffer{})
	})
}

func FuzzColumnsTemplate(f *testing.F) {
	f.Add("A B\n.a .b\n")
	f.Fuzz(func(t *testing.T, text string) {
		columns, err := parseColumnsTemplate(strings.NewReader(text))
		if err == nil && len(columns) != len(strings.Fields(strings.SplitN(text, "\n", 2)[0])) {
			t.Errorf("%d columns of %q", len(columns), text)
		}
	})
}

func BenchmarkTable50000(b *testing.B) {
	tab := table()
	for i := range 50_000 {
		tab.Rows = append(tab.Rows, TableRow{Cells: []any{fmt.Sprintf("web-7f9c6d9b8-%05d", i), "1/1", "Running", "10.0.0.1"}})
	}
	for b.Loop() {
		w := NewTableWriter(&bytes.Buffer{}, TableOptions{})
		w.Add(tab, "")
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}
