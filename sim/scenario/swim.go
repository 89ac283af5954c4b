package scenario

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nekton-go/nekton/core/swim"
)

// swimConfig is the [swim] table: fields of swim.Config, by name. Durations are written as "500ms".
type swimConfig map[string]any

// apply changes the fields that the table names.
func (s swimConfig) apply(c *swim.Config) error {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		value := s[name]
		if text, ok := value.(string); ok {
			d, err := time.ParseDuration(text)
			if err != nil {
				return bad("swim.%s: %q is no duration; write 500ms or 30s", name, text)
			}
			value = int64(d)
		}
		if err := set(c, name, value); err != nil {
			return bad("swim.%s: %v", name, err)
		}
	}
	return nil
}

// set changes one field, which must exist and be spelt as in Go.
func set(c *swim.Config, name string, value any) error {
	before, err := json.Marshal(*c)
	if err != nil {
		return err
	}
	var known map[string]json.RawMessage
	if err := json.Unmarshal(before, &known); err != nil {
		return err
	}
	if _, ok := known[name]; !ok {
		return fmt.Errorf("swim.Config has no such field")
	}
	text, err := json.Marshal(map[string]any{name: value})
	if err != nil {
		return err
	}
	return json.Unmarshal(text, c)
}
