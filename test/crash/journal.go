package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
)

// entry is a line of a writer's log: an attempt, written before the request, or its outcome.
type entry struct {
	Outcome string // "", acknowledged, refused, unsure
	Kind    string
	Name    string
	Value   string // what was written; empty: it was deleted
	// Of the object that the server gave back.
	UID             types.UID `json:",omitempty"`
	ResourceVersion string    `json:",omitempty"`
	// Of a request that failed: what the client made of it, and the HTTP status if there was one.
	Error string `json:",omitempty"`
	Code  int32  `json:",omitempty"`
}

const (
	attempted    = ""
	acknowledged = "acknowledged"
	refused      = "refused" // the server said that it changed nothing, or was not there
	unsure       = "unsure"  // no answer: it may have been done
)

// journal is a writer's log on disk.
type journal struct {
	path   string
	file   *os.File
	offset int64 // how far it has been read
}

func newJournal(dir, name string) (*journal, error) {
	path := filepath.Join(dir, name+".jsonl")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &journal{path: path, file: f}, nil
}

func (j *journal) write(e entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	return nil
}

// unread gives what was written since the last call.
func (j *journal) unread() ([]entry, error) {
	f, err := os.Open(j.path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(j.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	var out []entry
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		j.offset += int64(len(line))
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("read log %s: %w", j.path, err)
		}
		out = append(out, e)
	}
}

// key names an object of the test's namespace.
type key struct{ Kind, Name string }

// known is what the logs say that an object may be: what was acknowledged last, and what was tried since without an answer.
type known struct {
	values map[string]bool // "" is: not there
	// Of the acknowledged value, while nothing unsure came after it.
	uid types.UID
	rv  string
}

// ledger is what all logs together say.
type ledger map[key]*known

// replay brings the ledger up to date with a log's new lines, and checks what refusals say of earlier answers.
func (l ledger) replay(entries []entry) (acknowledgedWrites, unsureWrites int, err error) {
	for _, e := range entries {
		k := key{e.Kind, e.Name}
		state := l[k]
		if state == nil {
			state = &known{values: map[string]bool{"": true}}
			l[k] = state
		}
		switch e.Outcome {
		case acknowledged:
			acknowledgedWrites++
			*state = known{values: map[string]bool{e.Value: true}, uid: e.UID, rv: e.ResourceVersion}
		case unsure:
			unsureWrites++
			state.values[e.Value] = true
			state.uid, state.rv = "", ""
		case refused:
			if err := state.learn(k, e.Code); err != nil {
				return 0, 0, err
			}
		}
	}
	return acknowledgedWrites, unsureWrites, nil
}

// decide settles what was unsure: nothing is under way any more, so what is there now is what was done.
func (l ledger) decide(found map[key]object) {
	for k, state := range l {
		value := ""
		if obj := found[k]; obj != nil {
			value, state.uid = obj.GetAnnotations()[written], obj.GetUID()
		}
		state.values = map[string]bool{value: true}
	}
}

// learn takes from a refusal whether the object was there.
func (s *known) learn(k key, code int32) error {
	switch {
	case code == http.StatusNotFound && !s.values[""]:
		return fmt.Errorf("lost: %s %s was acknowledged, then not found", k.Kind, k.Name)
	case code == http.StatusNotFound:
		s.values = map[string]bool{"": true}
	case code == http.StatusConflict && k.Kind != "Pod": // a Pod that is being deleted is still there
		delete(s.values, "")
		if len(s.values) == 0 {
			return fmt.Errorf("never written, or its deletion lost: %s %s exists", k.Kind, k.Name)
		}
	}
	return nil
}
