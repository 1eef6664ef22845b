package embedtest

// recent holds the values that were added last, by key. The zero value is empty.
type recent[V any] struct {
	values map[string]V
	keys   []string // oldest first
}

// add adds a value, and forgets the oldest one if there are most of them.
func (r *recent[V]) add(key string, value V, most int) {
	if r.values == nil {
		r.values = map[string]V{}
	}
	if len(r.keys) == most {
		delete(r.values, r.keys[0])
	}
	r.values[key] = value
	r.keys = appendRecent(r.keys, key, most)
}

// appendRecent appends a value, without the oldest one if there are most of them.
func appendRecent[V any](values []V, value V, most int) []V {
	if len(values) == most {
		values = values[1:]
	}
	return append(values, value)
}
