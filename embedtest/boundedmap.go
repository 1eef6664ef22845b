package embedtest

// boundedMap keeps the values that were added last. The zero value is empty.
type boundedMap[V any] struct {
	values map[string]V
	keys   []string // oldest first
}

// add adds a value. If there are most values already, it drops the oldest one.
func (r *boundedMap[V]) add(key string, value V, most int) {
	if r.values == nil {
		r.values = map[string]V{}
	}
	if len(r.keys) == most {
		delete(r.values, r.keys[0])
	}
	r.values[key] = value
	r.keys = appendBounded(r.keys, key, most)
}

// appendBounded appends a value. If there are most values already, it drops the oldest one.
func appendBounded[V any](values []V, value V, most int) []V {
	if len(values) == most {
		values = values[1:]
	}
	return append(values, value)
}
