package store

import "sync"

// encodings caches an item's bytes for each form that somebody asked for ("v1+json", "v1+protobuf" …).
type encodings struct {
	mu    sync.Mutex
	bytes map[string][]byte
}

// Encoded gives the item's bytes in the named form, made once with encode and shared by all that ask later.
func (i *Item) Encoded(form string, encode func(obj any) ([]byte, error)) ([]byte, error) {
	i.encoded.mu.Lock()
	defer i.encoded.mu.Unlock()
	if b, ok := i.encoded.bytes[form]; ok {
		return b, nil
	}
	b, err := encode(i.Object)
	if err != nil {
		return nil, err
	}
	if i.encoded.bytes == nil {
		i.encoded.bytes = make(map[string][]byte, 1)
	}
	i.encoded.bytes[form] = b
	return b, nil
}
