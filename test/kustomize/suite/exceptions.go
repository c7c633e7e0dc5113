package main

import (
	"fmt"
	"os"
	"strings"
)

// readExceptions reads what is left out: a case and the reason on each line.
func readExceptions() (map[string]string, error) {
	const file = "exceptions.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	left := map[string]string{}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("%s:%d: %s is left out without a reason", file, number, name)
		}
		left[name] = reason
	}
	return left, nil
}
