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
	b = append(b, byte(number<<3|2))
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
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
	b = append(b, 2<<3|2)
	return binary.AppendUvarint(b, uint64(n))
}

func closeEnvelope(b []byte) []byte { return append(b, 3<<3|2, 0, 4<<3|2, 0) }

// envelope wraps one message.
func envelope(kind schema.GroupVersionKind, raw []byte) []byte {
	b := make([]byte, 0, len(raw)+len(kind.Kind)+len(kind.Group)+48)
	b = openEnvelope(b, kind, len(raw))
	return closeEnvelope(append(b, raw...))
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

// frame is a length-delimited frame of a protobuf stream.
func frame(message []byte) []byte {
	b := make([]byte, 4, 4+len(message))
	binary.BigEndian.PutUint32(b, uint32(len(message)))
	return append(b, message...)
}
