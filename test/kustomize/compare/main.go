// Command compare builds every kustomization below some directories with the real kustomize and with our engine, and says
// where the bytes or the verdicts differ. It is a tool of the tests and never part of the product.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func main() {
	var c comparison
	flag.StringVar(&c.real, "kustomize", "kustomize", "the real kustomize")
	flag.StringVar(&c.cache, "cache", defaultCache(), "where results of the real one are kept, by what went in")
	flag.StringVar(&c.restrictor, "load-restrictor", "LoadRestrictionsRootOnly", "passed to both")
	build := flag.String("build", "", "more flags of build, passed to both: \"--enable-helm --enable-alpha-plugins\"; then nothing is kept")
	flag.DurationVar(&c.timeout, "timeout", time.Minute, "for each build")
	verbose := flag.Bool("v", false, "name every directory with its verdict")
	each := flag.Int("each", 3, "how many directories of a group to name")
	jobs := flag.Int("j", 2, "builds at a time")
	flag.Parse()
	c.flags = strings.Fields(*build)
	var dirs []string
	for _, root := range flag.Args() {
		dirs = append(dirs, find(root)...)
	}
	r := report{verbose: *verbose, each: *each, groups: map[string]*group{}, count: map[verdict]int{}}
	for result := range c.all(dirs, *jobs) {
		r.add(result)
	}
	r.print(os.Stdout)
	if !r.clean() {
		os.Exit(1)
	}
}

func defaultCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "skiff-kustomize-compare")
}

// all compares the directories, some at a time; results come as they are ready.
func (c *comparison) all(dirs []string, jobs int) <-chan result {
	todo, results := make(chan string), make(chan result)
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			for dir := range todo {
				results <- c.compare(dir)
			}
		})
	}
	go func() {
		for i, dir := range dirs {
			todo <- dir
			if (i+1)%500 == 0 {
				fmt.Fprintf(os.Stderr, "%d of %d\n", i+1, len(dirs))
			}
		}
		close(todo)
		wg.Wait()
		close(results)
	}()
	return results
}
