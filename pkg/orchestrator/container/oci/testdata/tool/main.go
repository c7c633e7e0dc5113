// Command tool is what the tests run inside containers.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"forever"}
	}
	rest := args[1:]
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	switch args[0] {
	case "exit":
		n, err := strconv.Atoi(rest[0])
		check(err)
		os.Exit(n)
	case "sleep":
		d, err := time.ParseDuration(rest[0])
		check(err)
		time.Sleep(d)
		if len(rest) > 1 {
			n, err := strconv.Atoi(rest[1])
			check(err)
			os.Exit(n)
		}
	case "forever":
		fmt.Println("up")
		wait := make(chan os.Signal, 1)
		signal.Notify(wait, unix.SIGTERM)
		<-wait
	case "stubborn":
		signal.Ignore(unix.SIGTERM)
		fmt.Println("up")
		select {
		case <-time.After(time.Hour):
		}
	case "trap":
		wait := make(chan os.Signal, 1)
		signal.Notify(wait, unix.SIGTERM, unix.SIGUSR1, unix.SIGQUIT)
		fmt.Println("up")
		fmt.Println("got", <-wait)
		os.Exit(7)
	case "echo":
		fmt.Println(strings.Join(rest, " "))
	case "both":
		fmt.Println("to out")
		fmt.Fprintln(os.Stderr, "to err")
		fmt.Print("no newline")
	case "lines":
		n, err := strconv.Atoi(rest[0])
		check(err)
		w := bufio.NewWriter(os.Stdout)
		for i := range n {
			fmt.Fprintf(w, "line %d %s\n", i, strings.Repeat("x", 40))
		}
		check(w.Flush())
	case "cat":
		_, err := io.Copy(os.Stdout, os.Stdin)
		check(err)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "where":
		dir, err := os.Getwd()
		check(err)
		host, err := os.Hostname()
		check(err)
		groups, err := os.Getgroups()
		check(err)
		fmt.Printf("cwd=%s host=%s uid=%d gid=%d groups=%v pid=%d\n", dir, host, os.Getuid(), os.Getgid(), groups, os.Getpid())
	case "status":
		body, err := os.ReadFile("/proc/self/status")
		check(err)
		os.Stdout.Write(body)
	case "read":
		body, err := os.ReadFile(rest[0])
		check(err)
		os.Stdout.Write(body)
	case "write":
		check(os.WriteFile(rest[0], []byte(rest[1]), 0o644))
	case "ls":
		entries, err := os.ReadDir(rest[0])
		check(err)
		for _, e := range entries {
			fmt.Println(e.Name())
		}
	case "mknod":
		check(unix.Mknod(rest[0], unix.S_IFBLK|0o600, int(unix.Mkdev(254, 0))))
		f, err := os.Open(rest[0])
		check(err)
		f.Close()
	case "alloc":
		n, err := strconv.Atoi(rest[0])
		check(err)
		var keep [][]byte
		for range n {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			keep = append(keep, b)
		}
		fmt.Println("allocated", len(keep))
	case "spin":
		for {
		}
	case "tty":
		size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
		check(err)
		fmt.Println("size", size.Col, size.Row)
		resized := make(chan os.Signal, 1)
		signal.Notify(resized, unix.SIGWINCH)
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			if in.Text() == "size" {
				if len(rest) > 0 {
					<-resized
				}
				size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
				check(err)
				fmt.Println("size", size.Col, size.Row)
				continue
			}
			if code, ok := strings.CutPrefix(in.Text(), "exit "); ok {
				n, _ := strconv.Atoi(code)
				os.Exit(n)
			}
		}
	case "unshare":
		fmt.Println(unix.Unshare(unix.CLONE_NEWUTS))
	case "daemon":
		cmd := exec.Command("/tool", "sleep", "1h")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		check(cmd.Start())
		fmt.Println("child", cmd.Process.Pid)
		if len(rest) > 0 {
			time.Sleep(time.Hour)
		}
	case "listen":
		l, err := net.Listen("tcp", rest[0])
		check(err)
		fmt.Println("up")
		for {
			c, err := l.Accept()
			check(err)
			fmt.Fprintln(c, "hello")
			c.Close()
		}
	default:
		fmt.Fprintln(os.Stderr, "unknown", args)
		os.Exit(2)
	}
}
