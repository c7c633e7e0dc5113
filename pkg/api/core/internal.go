package core

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// Internal writes a value into an error or a diff as upstream does, which validates types of its own that have no JSON
// names: every field by its Go name, empty ones too. Types of other modules keep their JSON.
type Internal struct{ Value any }

// MarshalJSON implements json.Marshaler.
func (i Internal) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := writeInternal(&b, reflect.ValueOf(i.Value))
	return b.Bytes(), err
}

func writeInternal(b *bytes.Buffer, v reflect.Value) error {
	switch {
	case !v.IsValid(), v.Kind() == reflect.Pointer && v.IsNil():
		b.WriteString("null")
		return nil
	case v.Kind() == reflect.Pointer:
		return writeInternal(b, v.Elem())
	case v.Kind() == reflect.Slice && !v.IsNil() && v.Type().Elem().Kind() != reflect.Uint8:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeInternal(b, v.Index(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case v.Kind() == reflect.Struct && strings.HasPrefix(v.Type().PkgPath(), "k8s.io/api/"):
		b.WriteByte('{')
		first := true
		if err := writeFields(b, v, &first); err != nil {
			return err
		}
		b.WriteByte('}')
		return nil
	}
	data, err := json.Marshal(v.Interface())
	b.Write(data)
	return err
}

// writeFields writes the fields of a struct, those of embedded structs among them.
func writeFields(b *bytes.Buffer, v reflect.Value, first *bool) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			if err := writeFields(b, v.Field(i), first); err != nil {
				return err
			}
			continue
		}
		if !*first {
			b.WriteByte(',')
		}
		*first = false
		b.WriteString(`"` + f.Name + `":`)
		if err := writeInternal(b, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}
