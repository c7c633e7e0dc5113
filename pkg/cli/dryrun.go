package cli

import (
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
)

// DryRun is how far a command goes: all the way, to the server and back, or not at all.
type DryRun string

// The values of --dry-run.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client"
	DryRunServer DryRun = "server"
)

// AddDryRunFlag declares --dry-run.
func AddDryRunFlag(fs *pflag.FlagSet, value *string) {
	fs.StringVar(value, "dry-run", "none", `"none", "client" or "server": client prints what would be sent and sends nothing; server sends it, and the server does all but store it.`)
	fs.Lookup("dry-run").NoOptDefVal = "unchanged"
}

// ParseDryRun reads --dry-run.
func ParseDryRun(value string) (DryRun, error) {
	switch d := DryRun(value); d {
	case DryRunNone, DryRunClient, DryRunServer:
		return d, nil
	case "":
		return DryRunNone, nil
	case "unchanged":
		klog.Warning("--dry-run is deprecated and can be replaced with --dry-run=client.")
		return DryRunClient, nil
	}
	return DryRunNone, fmt.Errorf(`Invalid dry-run value (%v). Must be "none", "server", or "client".`, value)
}

// Operation is a message's verb with what a dry run adds to it.
func (d DryRun) Operation(verb string) string {
	switch d {
	case DryRunClient:
		return verb + " (dry run)"
	case DryRunServer:
		return verb + " (server dry run)"
	}
	return verb
}

// AddValidateFlag declares --validate.
func AddValidateFlag(fs *pflag.FlagSet, value *string) {
	fs.StringVar(value, "validate", "strict", `"strict" (or "true") refuses unknown and doubled fields, "warn" reports them, "ignore" (or "false") drops them silently.`)
	fs.Lookup("validate").NoOptDefVal = "strict"
}

// ParseValidate gives the fieldValidation that --validate means.
func ParseValidate(value string) (string, error) {
	switch value {
	case "true", "strict":
		return "Strict", nil
	case "warn":
		return "Warn", nil
	case "false", "ignore":
		return "Ignore", nil
	}
	return "", fmt.Errorf(`invalid - validate option %q; must be one of: strict (or true), warn, ignore (or false)`, value)
}

// AddFieldManagerFlag declares --field-manager.
func AddFieldManagerFlag(fs *pflag.FlagSet, value *string, name string) {
	fs.StringVar(value, "field-manager", name, "Name under which the server records which fields this command set.")
}

// AddSubresourceFlag declares --subresource.
func AddSubresourceFlag(fs *pflag.FlagSet, value *string, usage string) {
	fs.StringVar(value, "subresource", "", usage)
}
