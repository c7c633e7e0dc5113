package resource

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is one API group as discovery names it, its versions in the server's order of preference.
type Group struct {
	Name     string    `json:"name"`
	Versions []Version `json:"versions"`
}

// Version is one version of a group with its resources.
type Version struct {
	Version   string     `json:"version"`
	Resources []*Mapping `json:"resources"`
	// Stale says that an aggregated server did not answer.
	Stale bool `json:"stale,omitempty"`
}

// discoveryTTL is how long a stored answer is believed without asking. A name that it lacks is asked for anew at once.
const discoveryTTL = 6 * time.Hour

const aggregatedAccept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

// stored is the form of discovery on disk.
type stored struct {
	Groups []Group `json:"groups"`
}

// discover gives the server's groups: from disk if young enough and not refused, else from the server.
func (c *Client) discover(ctx context.Context, fresh bool) (groups []Group, fromDisk bool, err error) {
	if err := c.connect(ctx); err != nil {
		return nil, false, err
	}
	file := c.cacheFile()
	var old stored
	if file != "" {
		if info, err := os.Stat(file); err == nil {
			data, err := os.ReadFile(file)
			if err != nil || json.Unmarshal(data, &old) != nil {
				old = stored{}
			} else if !fresh && time.Since(info.ModTime()) < discoveryTTL {
				return old.Groups, true, nil
			}
		}
	}
	now, err := c.fetchGroups(ctx)
	if err != nil {
		return nil, false, err
	}
	if file != "" {
		writeCache(file, stored{Groups: now})
	}
	return now, false, nil
}

// unsafeInPath are the characters that a file name had better not have.
var unsafeInPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[^(\w/.)]`) })

func (c *Client) cacheFile() string {
	if c.CacheDir == "" {
		return ""
	}
	host := strings.TrimSuffix(strings.TrimPrefix(c.base.String(), c.base.Scheme+"://"), "/")
	return filepath.Join(c.CacheDir, "discovery", unsafeInPath().ReplaceAllString(host, "_"), "skiff.json")
}

// writeCache stores what was learnt; a directory that cannot be written only costs time.
func writeCache(file string, s stored) {
	data, err := json.Marshal(s)
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o750) != nil {
		return
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "skiff-*")
	if err != nil {
		return
	}
	_, err = tmp.Write(data)
	if cerr := tmp.Close(); err != nil || cerr != nil || os.Rename(tmp.Name(), file) != nil {
		os.Remove(tmp.Name())
	}
}

// fetchGroups asks /api and /apis at the same time.
func (c *Client) fetchGroups(ctx context.Context) ([]Group, error) {
	var groups [2][]Group
	var errs [2]error
	var wg sync.WaitGroup
	for i, path := range []string{"/api", "/apis"} {
		wg.Go(func() { groups[i], errs[i] = c.fetchRoot(ctx, path) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return append(groups[0], groups[1]...), nil
}

func (c *Client) fetchRoot(ctx context.Context, root string) ([]Group, error) {
	resp, err := c.Open(ctx, Request{Path: root, Accept: aggregatedAccept})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if strings.Contains(resp.Header.Get("Content-Type"), "as=APIGroupDiscoveryList") {
		var list aggregatedList
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
			return nil, err
		}
		return list.groups(), nil
	}
	return c.fetchPlain(ctx, root, resp)
}

// aggregatedList is the part of an APIGroupDiscoveryList that a client needs.
type aggregatedList struct {
	Items []struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
		Versions []struct {
			Version   string `json:"version"`
			Freshness string `json:"freshness"`
			Resources []struct {
				Resource     string                  `json:"resource"`
				ResponseKind metav1.GroupVersionKind `json:"responseKind"`
				Scope        string                  `json:"scope"`
				Singular     string                  `json:"singularResource"`
				Verbs        []string                `json:"verbs"`
				ShortNames   []string                `json:"shortNames"`
				Categories   []string                `json:"categories"`
				Subresources []struct {
					Subresource string `json:"subresource"`
				} `json:"subresources"`
			} `json:"resources"`
		} `json:"versions"`
	} `json:"items"`
}

func (l aggregatedList) groups() []Group {
	var out []Group
	for _, g := range l.Items {
		group := Group{Name: g.Metadata.Name}
		for _, v := range g.Versions {
			version := Version{Version: v.Version, Stale: v.Freshness == "Stale"}
			for _, r := range v.Resources {
				m := &Mapping{
					GVR: schema.GroupVersionResource{Group: g.Metadata.Name, Version: v.Version, Resource: r.Resource},
					GVK: schema.GroupVersionKind{Group: g.Metadata.Name, Version: v.Version, Kind: r.ResponseKind.Kind}, Namespaced: r.Scope == "Namespaced",
					Singular: r.Singular, Verbs: r.Verbs, ShortNames: r.ShortNames, Categories: r.Categories,
				}
				for _, s := range r.Subresources {
					m.Subresources = append(m.Subresources, s.Subresource)
				}
				version.Resources = append(version.Resources, m)
			}
			group.Versions = append(group.Versions, version)
		}
		out = append(out, group)
	}
	return out
}

// fetchPlain reads the older form of discovery, one request for each group version, all at the same time.
func (c *Client) fetchPlain(ctx context.Context, root string, resp *http.Response) ([]Group, error) {
	var body struct {
		Versions []string          `json:"versions"` // /api
		Groups   []metav1.APIGroup `json:"groups"`   // /apis
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, err
	}
	var groups []Group
	if root == "/api" {
		g := Group{}
		for _, v := range body.Versions {
			g.Versions = append(g.Versions, Version{Version: v})
		}
		groups = append(groups, g)
	}
	for _, ag := range body.Groups {
		g := Group{Name: ag.Name}
		if p := ag.PreferredVersion.Version; p != "" {
			g.Versions = append(g.Versions, Version{Version: p})
		}
		for _, v := range ag.Versions {
			if v.Version != ag.PreferredVersion.Version {
				g.Versions = append(g.Versions, Version{Version: v.Version})
			}
		}
		groups = append(groups, g)
	}
	var wg sync.WaitGroup
	for i := range groups {
		for j := range groups[i].Versions {
			wg.Go(func() { c.fetchVersion(ctx, root, groups[i].Name, &groups[i].Versions[j]) })
		}
	}
	wg.Wait()
	return groups, nil
}

func (c *Client) fetchVersion(ctx context.Context, root, group string, v *Version) {
	var list metav1.APIResourceList
	body, err := c.GetRaw(ctx, strings.TrimSuffix(root+"/"+url.PathEscape(group), "/")+"/"+v.Version)
	if err != nil || json.Unmarshal(body, &list) != nil {
		v.Stale = true
		return
	}
	byName := map[string]*Mapping{}
	for _, r := range list.APIResources {
		name, sub, isSub := strings.Cut(r.Name, "/")
		if isSub {
			if m := byName[name]; m != nil {
				m.Subresources = append(m.Subresources, sub)
			}
			continue
		}
		m := &Mapping{
			GVR: schema.GroupVersionResource{Group: group, Version: v.Version, Resource: name},
			GVK: schema.GroupVersionKind{Group: group, Version: v.Version, Kind: r.Kind}, Namespaced: r.Namespaced,
			Singular: r.SingularName, Verbs: r.Verbs, ShortNames: r.ShortNames, Categories: r.Categories,
		}
		byName[name] = m
		v.Resources = append(v.Resources, m)
	}
}
