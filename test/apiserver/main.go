// Command apiserver holds our API server against a real kube-apiserver: it sends both the same raw requests and prints where
// status, headers or bodies differ once uids, revisions, times and drawn names are levelled. The product never links it.
//
//	go run ./test/apiserver -real KUBECONFIG [-ours KUBECONFIG] [-run WORD] [-v]
//
// Without -ours it runs our server in its own process, without controllers, which is what a real kube-apiserver without its
// controller manager is to be compared with. Both servers should be fresh.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	realConfig := flag.String("real", "", "kubeconfig of the real server")
	oursConfig := flag.String("ours", "", "kubeconfig of our server; empty runs one in this process")
	run := flag.String("run", "", "send the requests of every group, but report only those whose name holds this")
	golden := flag.String("kinds", "pkg/api", "folder of the kinds' golden files")
	verbose := flag.Bool("v", false, "print both answers in full")
	flag.Parse()
	if err := compare(context.Background(), *realConfig, *oursConfig, *golden, *run, *verbose); err != nil {
		log.Fatal(err)
	}
}

func compare(ctx context.Context, realConfig, oursConfig, golden, run string, verbose bool) error {
	theirs, err := remote(realConfig)
	if err != nil {
		return err
	}
	ours, closeOurs, err := local(ctx, oursConfig)
	if err != nil {
		return err
	}
	defer closeOurs()
	s := &suite{real: theirs, ours: ours, only: run, verbose: verbose, golden: golden}
	for _, part := range []func(*suite) error{
		setUp, documents, lives, goldens, rejects, encodings, applies, patches, lists, watches, deletions, subresources, paths,
	} {
		if err := part(s); err != nil {
			return err
		}
	}
	fmt.Printf("%d requests compared, %d differ\n", s.sent, s.differ)
	if s.differ > 0 {
		os.Exit(1)
	}
	return nil
}
