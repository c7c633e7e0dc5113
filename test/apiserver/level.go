package main

import (
	"encoding/base64"
	"regexp"
)

var levels = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`20[2-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`"resourceVersion":"\d+"`), `"resourceVersion":"RV"`},
	{regexp.MustCompile(`esource version: \d+, current: \d+`), `esource version: N, current: N`},
	{regexp.MustCompile(`"nodePort":3\d{4}`), `"nodePort":30000`},
	{regexp.MustCompile(`"healthCheckNodePort":3\d{4}`), `"healthCheckNodePort":30000`},
	{regexp.MustCompile(`10\.96\.\d+\.\d+`), "IP"},
	{regexp.MustCompile(`kube-api-access-[a-z0-9]{5}`), "kube-api-access-XXXXX"},
	{regexp.MustCompile(`gen-[a-z0-9]{5}`), "gen-XXXXX"},
	{regexp.MustCompile(`"(\d+s|<unknown>|<invalid>)"`), `"AGE"`},
	{regexp.MustCompile(`"rv":\d+`), `"rv":0`},
}

var token = regexp.MustCompile(`"continue":"([^"]+)"`)

// level takes out of a body what two servers cannot have alike.
func level(body string) string {
	body = token.ReplaceAllStringFunc(body, func(s string) string {
		data, err := base64.RawURLEncoding.DecodeString(token.FindStringSubmatch(s)[1])
		if err != nil {
			return s
		}
		return `"continue":` + string(data)
	})
	for _, l := range levels {
		body = l.pattern.ReplaceAllString(body, l.with)
	}
	return body
}
