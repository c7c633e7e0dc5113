package command

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// Bounds of what is fetched.
const (
	fetchTime = 30 * time.Second
	fetchSize = 100 << 20
)

// get fetches what an http URL names.
func get(url string) ([]byte, error) {
	client := http.Client{Timeout: fetchTime}
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, fmt.Errorf("HTTP Error: status code %d (%s)", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, fetchSize+1))
	if err == nil && len(data) > fetchSize {
		err = fmt.Errorf("%s is larger than %d MB", url, fetchSize>>20)
	}
	return data, err
}
