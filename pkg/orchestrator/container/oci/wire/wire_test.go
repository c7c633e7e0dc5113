package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr)); err != nil {
		t.Fatal(err)
	}
	if b, err = l.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestSendReceive(t *testing.T) {
	a, b := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want := Request{Op: OpExec, ID: "c", Exec: &Exec{Args: []string{strings.Repeat("long ", 100000)}}, Fds: Fds{Stdout: true}}
	go func() {
		if err := Send(a, want, w); err != nil {
			t.Error(err)
		}
		w.Close()
		if err := Send(a, Reply{PID: 7}); err != nil {
			t.Error(err)
		}
		a.Close()
	}()
	var got Request
	files, err := Receive(b, &got)
	if err != nil || len(files) != 1 || got.ID != "c" || got.Exec.Args[0] != want.Exec.Args[0] || !got.Fds.Stdout {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	io.WriteString(files[0], "through")
	CloseAll(files)
	if body, err := io.ReadAll(r); err != nil || string(body) != "through" {
		t.Errorf("got %q, %v", body, err)
	}
	var reply Reply
	if _, err := Receive(b, &reply); err != nil || reply.PID != 7 {
		t.Errorf("got %+v, %v", reply, err)
	}
	if _, err := Receive(b, &reply); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestReceiveRefuses(t *testing.T) {
	for _, test := range []struct{ frame, want string }{
		{"\xff\xff\xff\xff", "are too many"},
		{"\x00\x00\x00\x02{]", "decode frame"},
		{"\x00\x00\x00\x09{}", "EOF"},
		{"\x00", "EOF"},
	} {
		a, b := pair(t)
		io.WriteString(a, test.frame)
		a.Close()
		var r Request
		if _, err := Receive(b, &r); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v", test.frame, err)
		}
	}
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exit.json")
	var got Exit
	if err := ReadFile(path, &got); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	if err := WriteFile(path, Exit{ExitCode: 3}, true); err != nil {
		t.Fatal(err)
	}
	if err := ReadFile(path, &got); err != nil || got.ExitCode != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
