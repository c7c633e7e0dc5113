//go:build embed && linux

package main

import (
	"embed"
	"io"
	"strings"
)

//go:embed embedded/*.gz embedded/*.sha256
var embedded embed.FS

// carriedHash is the hash of a program that this file carries. Every start asks for it, so the program itself is not touched: reading
// it all copies 25 MB, which takes 30 ms.
func carriedHash(name string) string {
	sum, _ := embedded.ReadFile("embedded/" + name + ".sha256")
	return strings.TrimSpace(string(sum))
}

// carried is the program, compressed.
func carried(name string) (io.ReadCloser, error) { return embedded.Open("embedded/" + name + ".gz") }
