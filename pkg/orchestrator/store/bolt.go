package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockWait is how long a second opener waits for the first to let go of the file.
const lockWait = 250 * time.Millisecond

// The buckets: objects by "resource NUL namespace NUL name", each value headed by its revision and its creation's; and
// the highest revision.
var (
	objectsBucket = []byte("objects")
	metaBucket    = []byte("meta")
	revisionKey   = []byte("revision")
)

const boltHeader = 16

// boltLog is a Log in one file of bbolt. The file may show less than was acknowledged never, and more only after a
// failed sync, when it refuses to go on.
type boltLog struct {
	db       *bbolt.DB
	revision int64
	broken   error
}

// OpenBolt opens or makes the file, which belongs to its owner alone and to one process at a time.
func OpenBolt(path string) (Log, error) {
	_, missing := os.Stat(path)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: lockWait,
		// The list of free pages is found anew at open, which reads everything anyway; so commits need not write it.
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open store %s: another process is using it; stop that server first, or give this one a data directory of its own", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("open store %s: the file is damaged or no store (%w); restore it from a copy, or move it away to begin anew", path, err)
	case err != nil:
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	if missing != nil {
		if err := syncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("make store %s: %w", path, err), db.Close())
		}
	}
	return &boltLog{db: db}, nil
}

// syncDir makes a new file's name last; its content is bbolt's care.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (b *boltLog) Load(each func(Record) error) (int64, error) {
	err := b.db.View(func(tx *bbolt.Tx) error {
		b.revision = persisted(tx)
		objects := tx.Bucket(objectsBucket)
		if objects == nil {
			return nil
		}
		return objects.ForEach(func(k, v []byte) error {
			r, err := boltRecord(k, v)
			if err != nil {
				return err
			}
			return each(r)
		})
	})
	return b.revision, err
}

func (b *boltLog) Append(batch []Record) error {
	if b.broken != nil {
		return b.broken
	}
	last := batch[len(batch)-1].Revision
	err := b.db.Update(func(tx *bbolt.Tx) error {
		objects, err := tx.CreateBucketIfNotExists(objectsBucket)
		if err != nil {
			return err
		}
		meta, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		for _, r := range batch {
			if err := putRecord(objects, r); err != nil {
				return err
			}
		}
		return meta.Put(revisionKey, binary.BigEndian.AppendUint64(nil, uint64(last)))
	})
	if err != nil {
		b.distrust(err)
		return err
	}
	b.revision = last
	return nil
}

// distrust looks whether a failed commit reached the file nonetheless, as one whose last sync failed may. Nothing may be
// built on such a state: a restart would bring up writes that were refused.
func (b *boltLog) distrust(cause error) {
	var found int64
	err := b.db.View(func(tx *bbolt.Tx) error {
		found = persisted(tx)
		return nil
	})
	if err != nil || found != b.revision {
		b.broken = fmt.Errorf("%s is no longer written to after a failed sync (%w): restart the server", b.db.Path(), cause)
	}
}

func (b *boltLog) Close() error {
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

func persisted(tx *bbolt.Tx) int64 {
	if meta := tx.Bucket(metaBucket); meta != nil {
		if v := meta.Get(revisionKey); len(v) == 8 {
			return int64(binary.BigEndian.Uint64(v))
		}
	}
	return 0
}

func putRecord(objects *bbolt.Bucket, r Record) error {
	key := []byte(r.Key.Resource + "\x00" + r.Key.Namespace + "\x00" + r.Key.Name)
	if r.Data == nil {
		return objects.Delete(key)
	}
	value := make([]byte, 0, boltHeader+len(r.Data))
	value = binary.BigEndian.AppendUint64(value, uint64(r.Revision))
	value = binary.BigEndian.AppendUint64(value, uint64(r.Created))
	if err := objects.Put(key, append(value, r.Data...)); err != nil {
		return fmt.Errorf("%s %s/%s: %w", r.Key.Resource, r.Key.Namespace, r.Key.Name, err)
	}
	return nil
}

func boltRecord(k, v []byte) (Record, error) {
	parts := bytes.SplitN(k, []byte{0}, 3)
	if len(parts) != 3 || len(v) < boltHeader {
		return Record{}, fmt.Errorf("the record at %q is damaged", k)
	}
	return Record{
		Key:      Key{string(parts[0]), string(parts[1]), string(parts[2])},
		Revision: int64(binary.BigEndian.Uint64(v)),
		Created:  int64(binary.BigEndian.Uint64(v[8:])),
		Data:     v[boltHeader:],
	}, nil
}
