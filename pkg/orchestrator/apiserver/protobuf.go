package apiserver

import (
	"encoding/binary"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// magic precedes every protobuf body but the frames of a watch.
const magic = "k8s\x00"

// appendField appends a length-delimited protobuf field.
func appendField(b []byte, number int, data []byte) []byte {
	return append(appendHead(b, number, len(data)), data...)
}

// appendHead appends what stands before the n bytes of a length-delimited field.
func appendHead(b []byte, number, n int) []byte {
	b = append(b, byte(number<<3|2))
	return binary.AppendUvarint(b, uint64(n))
}

func fieldSize(n int) int {
	size := 2 + n
	for n >= 0x80 {
		n >>= 7
		size++
	}
	return size
}

// typeMeta is the encoded runtime.TypeMeta of a kind.
func typeMeta(kind schema.GroupVersionKind) []byte {
	b := appendField(nil, 1, []byte(kind.GroupVersion().String()))
	return appendField(b, 2, []byte(kind.Kind))
}

// openEnvelope writes everything of a runtime.Unknown before its raw bytes, of which there will be n; closeEnvelope what
// stands behind them.
func openEnvelope(b []byte, kind schema.GroupVersionKind, n int) []byte {
	b = append(b, magic...)
	b = appendField(b, 1, typeMeta(kind))
	return appendHead(b, 2, n)
}

func closeEnvelope(b []byte) []byte { return append(b, 3<<3|2, 0, 4<<3|2, 0) }

// enveloped is one message in its envelope, as parts to be written one after the other: the message is shared, and is not copied.
func enveloped(kind schema.GroupVersionKind, raw []byte) [][]byte {
	b := openEnvelope(make([]byte, 0, len(kind.Kind)+len(kind.Group)+48), kind, len(raw))
	n := len(b)
	b = closeEnvelope(b)
	return [][]byte{b[:n:n], raw, b[n:]}
}

// openBody reads an envelope: the kind it names and the message within.
func openBody(body []byte) (schema.GroupVersionKind, []byte, error) {
	if len(body) < len(magic) || string(body[:len(magic)]) != magic {
		return schema.GroupVersionKind{}, nil, errors.New("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
	}
	var u runtime.Unknown
	if err := u.Unmarshal(body[len(magic):]); err != nil {
		return schema.GroupVersionKind{}, nil, fmt.Errorf("decode protobuf envelope: %w", err)
	}
	gv, err := schema.ParseGroupVersion(u.APIVersion)
	if err != nil {
		return schema.GroupVersionKind{}, nil, err
	}
	return gv.WithKind(u.Kind), u.Raw, nil
}
