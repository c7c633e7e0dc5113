package resource

import (
	"context"
	"net/url"
	"path"
)

// URL is the full address of a path of the server, for connections that are no plain requests.
func (c *Client) URL(ctx context.Context, p string, query url.Values) (*url.URL, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	u := *c.base
	u.Path = path.Join(u.Path, p)
	u.RawQuery = query.Encode()
	return &u, nil
}
