package store

import "maps"

// memory is a Log that lasts as long as the value itself: a store opened on it anew finds what the last one wrote.
type memory struct {
	records  map[Key]Record
	revision int64
}

// Memory gives a log without a file, for tests and clusters that need not last.
func Memory() Log { return &memory{records: map[Key]Record{}} }

func (m *memory) Load(each func(Record) error) (int64, error) {
	for r := range maps.Values(m.records) {
		if err := each(r); err != nil {
			return 0, err
		}
	}
	return m.revision, nil
}

func (m *memory) Append(batch []Record) error {
	for _, r := range batch {
		if r.Data == nil {
			delete(m.records, r.Key)
		} else {
			m.records[r.Key] = r
		}
		m.revision = r.Revision
	}
	return nil
}

func (m *memory) Close() error { return nil }
