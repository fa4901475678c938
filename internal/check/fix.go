package check

// Fix is something exact to publish or to type: a DNS record, a folder name, a command.
type Fix struct {
	// Kind is txt, cname, mx, host, folder or command.
	Kind string `json:"kind"`
	// Name is the DNS owner name without a trailing dot, or empty.
	Name  string `json:"name,omitempty"`
	Value string `json:"value"`
	// Old is the record that Value replaces, empty when it is added.
	Old string `json:"old,omitempty"`
	// TTLSeconds is how long the old record may still be seen.
	TTLSeconds int `json:"ttl_seconds,omitempty"`
}
