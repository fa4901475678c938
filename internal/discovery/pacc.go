package discovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"postier/config"
	"postier/internal/parallel"
	"postier/internal/wire"
)

// configuration is the part of a user-agent-configuration.json that matters here (draft-ietf-mailmaint-pacc §3).
type configuration struct {
	Protocols struct {
		IMAP struct {
			Host string `json:"host"`
		} `json:"imap"`
		SMTP struct {
			Host string `json:"host"`
		} `json:"smtp"`
	} `json:"protocols"`
	Authentication struct {
		OAuth    json.RawMessage `json:"oauth-public"`
		Password bool            `json:"password"`
	} `json:"authentication"`
}

// pacc reads the servers from a PACC file. The draft requires the file's digest in DNS: a file without one, or with a
// different one, is ignored. Servers are named by host alone and speak implicit TLS on their usual ports.
func (f *finder) pacc(ctx context.Context) (Candidate, bool) {
	var got file
	var fetched error
	var digests [][]byte
	var wg parallel.Group
	wg.Go(func() {
		got, fetched = f.get(ctx, "https://ua-auto-config."+f.domain+"/.well-known/user-agent-configuration.json")
	})
	wg.Go(func() { digests = f.digests(ctx) })
	wg.Wait()
	if fetched != nil {
		return Candidate{}, false
	}
	sum := sha256.Sum256(got.body)
	known := slices.ContainsFunc(digests, func(d []byte) bool { return bytes.Equal(d, sum[:]) })
	var c configuration
	if !known || deep(got.body) {
		return Candidate{}, false
	}
	// A value of the wrong type costs only itself: the others are read all the same.
	var mistyped *json.UnmarshalTypeError
	if err := json.Unmarshal(got.body, &c); err != nil && !errors.As(err, &mistyped) {
		return Candidate{}, false
	}
	candidate := got.served(rankPACC)
	if host := hostOf(c.Protocols.SMTP.Host); host != "" {
		candidate.SMTP = []Server{f.server(host, config.PortSubmissions, config.SecurityTLS, "{address}", SourcePACC)}
	}
	if host := hostOf(c.Protocols.IMAP.Host); host != "" {
		candidate.IMAP = []Server{f.server(host, config.PortIMAPS, config.SecurityTLS, "{address}", SourcePACC)}
	}
	if len(c.Authentication.OAuth) > 0 && !c.Authentication.Password {
		for _, list := range [][]Server{candidate.SMTP, candidate.IMAP} {
			for i := range list {
				list[i].Mechanisms = []config.Mechanism{config.MechanismOAuthBearer, config.MechanismXOAuth2}
			}
		}
	}
	return candidate, len(candidate.SMTP) > 0
}

// digests are the SHA-256 digests that the domain publishes: "v=UAAC1; a=sha256; d=BASE64".
func (f *finder) digests(ctx context.Context) [][]byte {
	answer, err := f.network.Resolver.Query(ctx, "_ua-auto-config."+f.domain, dns.TypeTXT)
	if err != nil {
		return nil
	}
	var out [][]byte
	for _, txt := range wire.Records[*dns.TXT](answer) {
		tags := map[string]string{}
		for tag := range strings.SplitSeq(strings.Join(txt.Txt, ""), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(tag), "=")
			tags[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		if tags["v"] != "UAAC1" || tags["a"] != "sha256" {
			continue
		}
		if digest, err := base64.StdEncoding.DecodeString(tags["d"]); err == nil {
			out = append(out, digest)
		}
	}
	return out
}

// deep reports whether a JSON text is nested deeper than any real one.
func deep(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	depth, tokens := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return false // the end, or a fault that Unmarshal will report
		}
		if tokens++; tokens > 4*maxElements {
			return true
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return true
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
