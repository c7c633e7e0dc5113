package cli

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// CompletionFunc is cobra's ValidArgsFunction.
type CompletionFunc = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// completionTimeout bounds what a shell waits for at a press of the tab key.
const completionTimeout = 3 * time.Second

// CompleteTypesAndNames completes TYPE, then NAMEs; also TYPE/NAME. single stops after one name.
func CompleteTypesAndNames(f *Factory, single bool) CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
		defer cancel()
		switch {
		case len(args) == 0 && strings.Contains(toComplete, "/"):
			typ, prefix, _ := strings.Cut(toComplete, "/")
			var out []string
			for _, name := range names(ctx, f, typ, prefix) {
				out = append(out, typ+"/"+name)
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		case len(args) == 0:
			return types(ctx, f, toComplete), cobra.ShellCompDirectiveNoFileComp
		case single && len(args) > 1 || strings.Contains(args[0], "/"):
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(ctx, f, args[0], toComplete, args[1:]...), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteNames completes the names of one type.
func CompleteNames(f *Factory, typ string) CompletionFunc {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
		defer cancel()
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(ctx, f, typ, toComplete), cobra.ShellCompDirectiveNoFileComp
	}
}

func types(ctx context.Context, f *Factory, prefix string) []string {
	client, err := f.Client()
	if err != nil {
		return nil
	}
	mapper, err := client.Mapper(ctx)
	if err != nil {
		return nil
	}
	var out []string
	for m := range mapper.Preferred() {
		if strings.HasPrefix(m.GVR.Resource, prefix) && m.Can("list") {
			out = append(out, m.GroupResource().String())
		}
	}
	return out
}

func names(ctx context.Context, f *Factory, typ, prefix string, taken ...string) []string {
	client, err := f.Client()
	if err != nil {
		return nil
	}
	targets, _, err := client.Targets(ctx, resource.Query{Args: []string{typ}, ListAll: true})
	if err != nil {
		return nil
	}
	var out []string
	for _, t := range targets {
		body, err := client.Do(ctx, resource.Request{Path: t.Mapping.Path(t.Namespace, ""), Accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"})
		if err != nil {
			continue
		}
		var list struct {
			Items []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"items"`
		}
		if json.Unmarshal(body, &list) != nil {
			continue
		}
		for _, item := range list.Items {
			if strings.HasPrefix(item.Metadata.Name, prefix) && !contains(taken, item.Metadata.Name) {
				out = append(out, item.Metadata.Name)
			}
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
