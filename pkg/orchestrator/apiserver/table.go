package apiserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// plainColumns serve the kinds that have none of their own.
var plainColumns = &api.Columns{
	Definitions: []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
		{Name: "Created At", Type: "date", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]},
	},
	Cells: func(obj api.Object) []any {
		return []any{obj.GetName(), obj.GetCreationTimestamp().Time.UTC().Format(time.RFC3339)}
	},
}

// table renders items as a metav1.Table. Rows are joined from the cached bytes of their objects; cells, whose ages move,
// are made anew.
func (q *request) table(items []*store.Item, meta metav1.ListMeta, headers bool) ([]byte, error) {
	columns := q.res.Columns
	if columns == nil {
		columns = plainColumns
	}
	include := metav1.IncludeObjectPolicy(q.query.Get("includeObject"))
	switch include {
	case "":
		include = metav1.IncludeMetadata
	case metav1.IncludeMetadata, metav1.IncludeNone, metav1.IncludeObject:
	default:
		return nil, badRequest(fmt.Errorf("unrecognized includeObject value: %q", include))
	}
	head, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	definitions := []byte("null")
	if headers {
		if definitions, err = json.Marshal(columns.Definitions); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":%s,"columnDefinitions":%s,"rows":[`, head, definitions)
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := q.row(&b, columns, item, include); err != nil {
			return nil, err
		}
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

func (q *request) row(b *bytes.Buffer, columns *api.Columns, item *store.Item, include metav1.IncludeObjectPolicy) error {
	obj := item.Object.(api.Object)
	cells, err := json.Marshal(columns.Cells(obj))
	if err != nil {
		return fmt.Errorf("render %s: %w", item.Key.Name, err)
	}
	b.WriteString(`{"cells":`)
	b.Write(cells)
	if columns.Conditions != nil {
		if conditions := columns.Conditions(obj); len(conditions) > 0 {
			text, err := json.Marshal(conditions)
			if err != nil {
				return err
			}
			b.WriteString(`,"conditions":`)
			b.Write(text)
		}
	}
	b.WriteString(`,"object":`)
	switch include {
	case metav1.IncludeNone:
		b.WriteString("null")
	case metav1.IncludeObject:
		body, err := item.Encoded(formJSON, encodeJSON)
		if err != nil {
			return err
		}
		if !q.res.CustomResource {
			body = withKind(q.res.GVK(), body)
		}
		b.Write(body)
	default:
		body, err := item.Encoded(formMetaJSON, encodeMetaJSON)
		if err != nil {
			return err
		}
		b.Write(withKind(partialKind, body))
	}
	b.WriteByte('}')
	return nil
}
