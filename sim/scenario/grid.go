package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

const pointsMax = 10_000

// point is one combination of a grid's values: the file with those in place.
type point struct{ name, text string }

// axis is one key of a grid.
type axis struct {
	key    string
	values []any
}

// expand makes every combination, the last key changing fastest.
func expand(text string) ([]point, error) {
	tree := map[string]any{}
	meta, err := toml.Decode(text, &tree)
	if err != nil {
		return nil, bad("%v", err)
	}
	grid, ok := tree["grid"].(map[string]any)
	if !ok {
		if tree["grid"] != nil {
			return nil, bad("grid must be a table of keys and lists of values")
		}
		return []point{{text: text}}, nil
	}
	delete(tree, "grid")
	axes, total := []axis{}, 1
	for _, key := range meta.Keys() { // in the order of the file
		if len(key) != 2 || key[0] != "grid" {
			continue
		}
		values, ok := grid[key[1]].([]any)
		if !ok || len(values) == 0 {
			return nil, bad("grid: %s must be a list of values", key[1])
		}
		axes = append(axes, axis{key[1], values})
		if total *= len(values); total > pointsMax {
			return nil, bad("grid: more than %d runs", pointsMax)
		}
	}
	points := make([]point, 0, total)
	for i := range total {
		p, err := at(text, axes, i)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

// at is the i-th combination.
func at(text string, axes []axis, i int) (point, error) {
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		return point{}, bad("%v", err)
	}
	delete(tree, "grid")
	names := make([]string, len(axes))
	for k := len(axes) - 1; k >= 0; k-- {
		value := axes[k].values[i%len(axes[k].values)]
		i /= len(axes[k].values)
		if err := put(tree, strings.Split(axes[k].key, "."), value); err != nil {
			return point{}, bad("grid: %s: %v", axes[k].key, err)
		}
		names[k] = fmt.Sprintf("%s=%v", axes[k].key, value)
	}
	out, err := toml.Marshal(tree)
	return point{strings.Join(names, " "), string(out)}, err
}

// put sets the value at a path such as op.0.ppm.
func put(tree map[string]any, path []string, value any) error {
	for len(path) > 1 {
		switch next := tree[path[0]].(type) {
		case map[string]any:
			tree, path = next, path[1:]
		case []map[string]any:
			i, err := strconv.Atoi(path[1])
			if err != nil || i < 0 || i >= len(next) || len(path) < 3 {
				return fmt.Errorf("there are %d of %s, counted from 0: write %s.0.KEY", len(next), path[0], path[0])
			}
			tree, path = next[i], path[2:]
		case nil:
			if _, err := strconv.Atoi(path[1]); err == nil {
				return fmt.Errorf("there is no %s", path[0])
			}
			table := map[string]any{}
			tree[path[0]] = table
			tree, path = table, path[1:]
		default:
			return fmt.Errorf("%s has no keys", path[0])
		}
	}
	tree[path[0]] = value
	return nil
}
