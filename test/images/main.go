// Command images makes the images of the demonstration and serves them on this machine as a mirror of docker.io and
// gcr.io: go run ./test/images -out DIR -listen 127.0.0.1:5000
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/kubeskiff/skiff/test/images/build"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "", "serve the images on this address; empty: only make them")
	out := flag.String("out", "", "directory for the images (kept, and used again)")
	flag.Parse()
	if *out == "" {
		return fmt.Errorf("-out is missing")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := build.All(ctx, *out); err != nil {
		return err
	}
	if *listen == "" {
		return nil
	}
	r, err := build.Serve(ctx, *out, *listen)
	if err != nil {
		return err
	}
	fmt.Println(r.URL)
	<-ctx.Done()
	return r.Close()
}
