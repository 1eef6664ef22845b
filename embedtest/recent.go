package embedtest

// recent holds the values that were added last, by key. The zero value is empty.
type recent[V any] struct {
	values map[string]V
	keys   []string // oldest first
}

// add forgets the oldest value where there are most of them.
func (r *recent[V]) add(key string, value V, most int) {
	if r.values == nil {
		r.values = map[string]V{}
	}
	if len(r.keys) == most {
		delete(r.values, r.keys[0])
		r.keys = r.keys[1:]
	}
	r.values[key] = value
	r.keys = append(r.keys, key)
}
