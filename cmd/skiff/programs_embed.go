//go:build embed && linux

package main

import (
	"embed"
	"strings"
)

//go:embed embedded/*.gz embedded/*.sha256
var embedded embed.FS

// carried gives a program that this file carries, compressed, and the hash of its content.
func carried(name string) (data []byte, hash string) {
	data, _ = embedded.ReadFile("embedded/" + name + ".gz")
	sum, _ := embedded.ReadFile("embedded/" + name + ".sha256")
	return data, strings.TrimSpace(string(sum))
}
