package store

// Record is one write as a log keeps it: the latest state of a key, or its removal.
type Record struct {
	Key      Key
	Revision int64  // of this write
	Created  int64  // revision of the object's creation
	Data     []byte // the codec's bytes; nil removes the key
}

// Log is what makes writes last. It keeps the latest record of each key and the highest revision; the store alone uses
// it, one call at a time.
type Log interface {
	// Load gives each live record, in any order, and returns the highest revision ever appended. Data is valid only
	// during the call of each.
	Load(each func(Record) error) (revision int64, err error)
	// Append makes all records of the batch durable, or none, before it returns. Records come in revision order.
	Append(batch []Record) error
	// Close releases files and locks.
	Close() error
}
