package check

// Fix is something exact to publish or to type: a DNS record, a folder name, a command.
type Fix struct {
	// Kind is txt, cname, mx, host, folder or command.
	Kind string `json:"kind"`
	// Name is the DNS owner name without a trailing dot, or empty.
	Name string `json:"name,omitempty"`
	// Value is empty for a record that has to go.
	Value string `json:"value"`
	// Old is the record that Value replaces, empty when it is added.
	Old string `json:"old,omitempty"`
	// TTLSeconds is how long the old record may still be seen.
	TTLSeconds int `json:"ttl_seconds,omitempty"`
}

// Removes reports whether the old record is to be deleted without another in its place.
func (f Fix) Removes() bool { return f.Value == "" && f.Old != "" }
