package smtp

// ParseReply reads a reply out of a text, for tests from outside.
func ParseReply(text string) (Reply, error) { return reply(text) }
