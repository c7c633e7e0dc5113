package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func newSet(c *files) *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "set PROPERTY_NAME PROPERTY_VALUE",
		Short: "Set an individual value in a kubeconfig file",
		Long: `Set one value of a kubeconfig by its path: attribute names and map keys with dots between. Binary values are given in base64
unless --set-raw-bytes says otherwise.`,
		Example: `
  skiff config set clusters.prod.server https://1.2.3.4
  skiff config set contexts.prod.namespace team-a
  skiff config set users.me.client-key-data abc --set-raw-bytes=true`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			if args[1] == "" {
				return errors.New("you cannot use set to unset a property")
			}
			if args[0] == "" {
				return errors.New("you must specify a property")
			}
			if err := c.change(args[0], change{value: args[1], raw: raw}); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "Property %q set.\n", args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&raw, "set-raw-bytes", false, "Take a binary value as it is, not as base64.")
	return cmd
}

func newUnset(c *files) *cobra.Command {
	return &cobra.Command{
		Use:   "unset PROPERTY_NAME",
		Short: "Unset an individual value in a kubeconfig file",
		Long:  "Remove one value of a kubeconfig by its path: attribute names and map keys with dots between.",
		Example: `
  skiff config unset current-context
  skiff config unset contexts.prod.namespace`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			if args[0] == "" {
				return errors.New("you must specify a property")
			}
			if err := c.change(args[0], change{unset: true}); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "Property %q unset.\n", args[0])
			return nil
		},
	}
}

// change is what happens to one value.
type change struct {
	value      string
	raw, unset bool
}

func (c *files) change(path string, ch change) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	steps, err := parsePath(path)
	if err != nil {
		return err
	}
	if err := ch.apply(reflect.ValueOf(config), steps); err != nil {
		return err
	}
	return c.save(config, false)
}

// parsePath cuts a path at its dots. A map's key may have dots itself: it goes on until the next part is a field of the
// map's values.
func parsePath(path string) ([]string, error) {
	parts := strings.Split(path, ".")
	var steps []string
	for typ := reflect.TypeFor[clientcmdapi.Config](); len(parts) > 0; {
		for typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch typ.Kind() {
		case reflect.Struct:
			field, ok := fieldNamed(typ, parts[0])
			if !ok {
				return nil, fmt.Errorf("unable to parse %v after %v at %v", path, steps, typ)
			}
			steps, parts, typ = append(steps, parts[0]), parts[1:], field.Type
		case reflect.Map:
			n := keyLength(parts, typ.Elem())
			steps, parts, typ = append(steps, strings.Join(parts[:n], ".")), parts[n:], typ.Elem()
		default:
			return nil, fmt.Errorf("unable to parse one or more field values of %v", path)
		}
	}
	return steps, nil
}

func fieldNamed(typ reflect.Type, name string) (reflect.StructField, bool) {
	for f := range typ.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// keyLength is how many parts make up a map's key.
func keyLength(parts []string, value reflect.Type) int {
	for value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	if value.Kind() != reflect.Struct {
		return len(parts)
	}
	for n := 1; n < len(parts); n++ {
		if _, ok := fieldNamed(value, parts[n]); ok {
			return n
		}
	}
	return len(parts)
}

func (ch change) apply(v reflect.Value, steps []string) error {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		return ch.applyField(v, steps)
	case reflect.Map:
		return ch.applyKey(v, steps)
	}
	if len(steps) > 0 {
		return fmt.Errorf("can't have more steps after a %s. %v", v.Kind(), steps)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(ch.value)
	case reflect.Bool:
		b, err := strconv.ParseBool(ch.value)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case reflect.Slice:
		return ch.applyBytes(v)
	default:
		return fmt.Errorf("cannot set a value of type %s", v.Type())
	}
	return nil
}

func (ch change) applyField(v reflect.Value, steps []string) error {
	if len(steps) == 0 {
		return fmt.Errorf("can't set a struct to a value: %v", v)
	}
	field, ok := fieldNamed(v.Type(), steps[0])
	if !ok {
		return fmt.Errorf("unable to locate path %q under %v", steps[0], v)
	}
	f := v.FieldByIndex(field.Index)
	if len(steps) == 1 && ch.unset {
		f.SetZero()
		return nil
	}
	if f.Kind() == reflect.Map && f.IsNil() {
		f.Set(reflect.MakeMap(f.Type()))
	}
	if f.Kind() == reflect.Pointer && f.IsNil() {
		f.Set(reflect.New(f.Type().Elem()))
	}
	return ch.apply(f, steps[1:])
}

func (ch change) applyKey(v reflect.Value, steps []string) error {
	if len(steps) == 0 {
		return fmt.Errorf("can't set a map to a value: %v", v)
	}
	key := reflect.ValueOf(steps[0])
	if len(steps) == 1 {
		if ch.unset {
			v.SetMapIndex(key, reflect.Value{})
			return nil
		}
		return fmt.Errorf("can't set a map to a value: %v", v)
	}
	value := v.MapIndex(key)
	if !value.IsValid() {
		if ch.unset {
			return fmt.Errorf("current map key `%v` is invalid", steps[0])
		}
		value = reflect.New(v.Type().Elem().Elem())
		v.SetMapIndex(key, value)
	}
	return ch.apply(value, steps[1:])
}

func (ch change) applyBytes(v reflect.Value) error {
	if v.Type().Elem().Kind() != reflect.Uint8 {
		return fmt.Errorf("unrecognized slice type. %v", v.Type().Elem().Kind())
	}
	data := []byte(ch.value)
	if !ch.raw {
		var err error
		if data, err = base64.StdEncoding.DecodeString(ch.value); err != nil {
			return fmt.Errorf("error decoding input value: %v", err)
		}
	}
	v.SetBytes(data)
	return nil
}
