package printers

import (
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// MetadataTable draws what every object has: its name and age.
func MetadataTable(objects []json.RawMessage) (*Table, error) {
	t := &Table{Kind: "Table", Columns: []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name"}, {Name: "Age", Type: "string"},
	}}
	for _, o := range objects {
		var m metav1.PartialObjectMetadata
		if err := json.Unmarshal(o, &m); err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, TableRow{Cells: []any{m.Name, Age(m.CreationTimestamp.Time)}, Object: rowObject(o)})
	}
	return t, nil
}

// Age is how long ago something was, in one or two units.
func Age(t time.Time) string {
	if t.IsZero() {
		return "<unknown>"
	}
	return duration.HumanDuration(time.Since(t))
}
