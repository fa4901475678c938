package discovery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"postier/internal/organisation"
	"postier/internal/parallel"
	"postier/internal/wire"
)

// Caps on what a file from an unknown server may cost (docs/security.md T11); real ones are below a tenth of each.
const (
	maxBody      = 256 << 10 // octets after decompression
	maxRedirects = 3
	fetchLimit   = 6 * time.Second // leaves time for Autodiscover within Limit
)

var (
	errRedirect = errors.New("the redirect leads where it must not")
	errStatus   = errors.New("the server has no such file")
)

// file is what a server answered.
type file struct {
	body []byte
	host string // the host that served it after redirects
	// crossed is true when a redirect led out of the organisation of the address.
	crossed bool
}

// client makes a client for one request: HTTPS only, no cookies, no credentials.
func (f *finder) client(crossed *bool) *http.Client {
	return &http.Client{
		Timeout:   fetchLimit,
		Transport: f.network.HTTPS(),
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			u := next.URL
			// A user name in the URL would become an Authorization header, and another port may belong to any service.
			if len(via) > maxRedirects || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" ||
				hostOf(u.Hostname()) == "" {
				return errRedirect
			}
			if !organisation.Same(u.Hostname(), f.domain) {
				*crossed = true
			}
			next.Header.Del("Referer")
			return nil
		},
	}
}

// fetch asks for one file. request must be for https.
func (f *finder) fetch(request *http.Request) (file, error) {
	var got file
	if request.URL.Scheme != "https" {
		return got, errRedirect
	}
	request.Header.Set("User-Agent", userAgent)
	response, err := f.client(&got.crossed).Do(request)
	if err != nil {
		return got, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return got, fmt.Errorf("%w: %d", errStatus, response.StatusCode)
	}
	// The transport unpacks gzip, so the limit holds for what comes out.
	got.body, err = wire.ReadBody(response.Body, maxBody)
	got.host = response.Request.URL.Hostname()
	return got, err
}

// userAgent names the program without a version, because the answers do not depend on it.
const userAgent = "postier"

func (f *finder) get(ctx context.Context, url string) (file, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return file{}, err
	}
	return f.fetch(request)
}

// askHTTPS requests the three kinds of files. It asks Autodiscover only if the others have no answer, because
// Autodiscover requires a POST with an address in it.
func (f *finder) askHTTPS(ctx context.Context) outcome {
	asks := []func(context.Context) (Candidate, bool){
		func(ctx context.Context) (Candidate, bool) {
			return f.autoconfig(ctx, "https://autoconfig."+f.domain+"/mail/config-v1.1.xml")
		},
		func(ctx context.Context) (Candidate, bool) {
			return f.autoconfig(ctx, "https://"+f.domain+"/.well-known/autoconfig/mail/config-v1.1.xml")
		},
		f.pacc,
	}
	found := make([]outcome, len(asks))
	var wg parallel.Group
	for i, ask := range asks {
		wg.Go(func() {
			if c, ok := ask(ctx); ok {
				c.rank += i
				found[i] = f.custom(ctx, c)
			}
		})
	}
	wg.Wait()
	var out outcome
	for _, o := range found {
		out.candidates = append(out.candidates, o.candidates...)
	}
	if len(out.candidates) == 0 && ctx.Err() == nil {
		if c, ok := f.autodiscover(ctx); ok {
			out = f.custom(ctx, c)
		}
	}
	return out
}

// served starts a candidate from a file.
func (got file) served(rank int) Candidate {
	c := Candidate{Origin: OriginAutoconfig, Via: got.host, rank: rank}
	if got.crossed {
		c.Confirm = append(c.Confirm, Redirected)
	}
	return c
}
