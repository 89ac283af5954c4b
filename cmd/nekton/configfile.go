package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/pflag"
)

// configFlag names the flag that a config file must not contain.
const configFlag = "config"

// applyConfig sets, from a JSON object of flag names and values, every flag that the command line has left
// alone. A list sets a repeatable flag.
func applyConfig(file string, flags *pflag.FlagSet) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the config file: %w", err)
	}
	settings, err := parseConfig(text)
	if err != nil {
		return fmt.Errorf("config file %s: %w", file, err)
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		flag := flags.Lookup(key)
		if flag == nil || key == configFlag || key == "help" {
			return fmt.Errorf("config file %s: unknown key %q; see: nekton agent -help", file, key)
		}
		if flag.Changed {
			continue
		}
		if err := setFlag(flag, settings[key]); err != nil {
			return fmt.Errorf("config file %s: %q: %w", file, key, err)
		}
	}
	return nil
}

func parseConfig(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var settings map[string]any
	err := decoder.Decode(&settings)
	var other *json.UnmarshalTypeError
	if errors.As(err, &other) {
		return nil, fmt.Errorf("want one JSON object, not a JSON %s", other.Value)
	}
	if err != nil {
		return nil, fmt.Errorf("want one JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("want one JSON object and nothing after it")
	}
	return settings, nil
}

func setFlag(flag *pflag.Flag, value any) error {
	list, isList := value.([]any)
	many, repeatable := flag.Value.(pflag.SliceValue)
	if isList && !repeatable {
		return errors.New("takes one value, not a list")
	}
	if !isList {
		list = []any{value}
	}
	var texts []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case json.Number, bool:
			texts = append(texts, fmt.Sprint(v))
		default:
			return errors.New("takes text, a number, true or false, or a list of those")
		}
	}
	if repeatable {
		return many.Replace(texts)
	}
	if flag.Value.Set(texts[0]) != nil {
		return fmt.Errorf("want a %s, not %q", flag.Value.Type(), texts[0])
	}
	return nil
}
