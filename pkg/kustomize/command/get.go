package command

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// Bounds of what is fetched.
const (
	fetchTime = 30 * time.Second
	fetchSize = 100 << 20
)

// Get fetches what an http URL names.
func Get(url string) ([]byte, error) {
	client := http.Client{Timeout: fetchTime}
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &kustomize.StatusError{Code: resp.StatusCode, Text: http.StatusText(resp.StatusCode)}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, fetchSize+1))
	if err == nil && len(data) > fetchSize {
		err = fmt.Errorf("%s is larger than %d MB", url, fetchSize>>20)
	}
	return data, err
}
