package dmarc

import (
	"context"
	"strings"
	"sync"

	mdns "github.com/miekg/dns"

	"postier/internal/mailauth/lookup"
)

// maxWalk is how many queries one tree walk may cost (RFC 9989 §4.10).
const maxWalk = 8

// Found is a record at one place of the tree.
type Found struct {
	Domain string
	Record Record
	Text   lookup.Text
}

// Step is one query of a walk.
type Step struct {
	Domain string
	// Found is nil when there was no record, or more than one.
	Found *Found
	// Texts are all records that begin like DMARC records, Others those that were probably meant as one, Strays the rest.
	Texts, Others, Strays []lookup.Text
	// Alias is where a CNAME leads, empty without one; Denied says that the name at its end does not exist.
	Alias  string
	Denied bool
	Err    error
}

// Walk is the outcome of a DNS tree walk.
type Walk struct {
	Start string
	Steps []Step
}

// Unsure is the first failed query for a name below a domain: that name may have a closer record. An empty domain means
// the whole walk.
func (w Walk) Unsure(domain string) error {
	for _, s := range w.Steps {
		if s.Domain == domain {
			return nil
		}
		if s.Err != nil {
			return s.Err
		}
	}
	return nil
}

// unsureFor is the first failed query for a name at or above a domain, where a record would put the domain into the
// same organization. Top-level domains are left out: records there have psd=y, which only separates domains.
func (w Walk) unsureFor(domain string) error {
	for _, s := range w.Steps {
		if s.Err != nil && strings.Contains(s.Domain, ".") && lookup.Within(domain, s.Domain) {
			return s.Err
		}
	}
	return nil
}

// path lists the domains that a tree walk asks about (RFC 9989 §4.10 steps 3 to 7): the start, then its parents; of a
// name of eight or more labels the one with seven follows at once.
func path(domain string) []string {
	list := []string{domain}
	labels := strings.Split(domain, ".")
	keep := min(len(labels)-1, maxWalk-1)
	for ; keep > 0; keep-- {
		list = append(list, strings.Join(labels[len(labels)-keep:], "."))
	}
	return list
}

// TreeWalk carries out a DNS tree walk from domain. All queries go out at once, because there are at most eight and a
// person is waiting; queries that a step-by-step walk would not have sent are left out of the outcome.
func TreeWalk(ctx context.Context, r lookup.Resolver, domain string) Walk {
	domain = lookup.Lower(domain)
	w := Walk{Start: domain}
	if !lookup.WellFormed(domain) {
		return w
	}
	domains := path(domain)
	steps := make([]Step, len(domains))
	var wg sync.WaitGroup
	for i, d := range domains {
		wg.Go(func() { steps[i] = ask(ctx, r, d) })
	}
	wg.Wait()
	for _, s := range steps {
		w.Steps = append(w.Steps, s)
		if s.Found != nil && s.Found.Record.PSD != "u" { // steps 2 and 6: psd=y or psd=n ends the walk
			break
		}
	}
	return w
}

// ask reads the record of one domain. Several records count as none (step 2).
func ask(ctx context.Context, r lookup.Resolver, domain string) Step {
	s := Step{Domain: domain}
	name, ok := lookup.Name("_dmarc." + domain)
	if !ok {
		return s
	}
	txt, err := lookup.QueryTXT(ctx, r, name)
	if lookup.Temporary(err) {
		s.Err = err
	}
	s.Alias, s.Denied = txt.Alias(), lookup.NotFound(err)
	for _, t := range txt.Texts {
		switch {
		case IsRecord(t.Value):
			s.Texts = append(s.Texts, t)
		case Meant(t.Value):
			s.Others = append(s.Others, t)
		default:
			s.Strays = append(s.Strays, t)
		}
	}
	if len(s.Texts) == 1 {
		if record, ok := Parse(s.Texts[0].Value); ok {
			s.Found = &Found{Domain: domain, Record: record, Text: s.Texts[0]}
		}
	}
	return s
}

// First is the step of the domain where the walk started.
func (w Walk) First() Step {
	if len(w.Steps) == 0 {
		return Step{Domain: w.Start}
	}
	return w.Steps[0]
}

// Organizational is the organizational domain by RFC 9989 §4.10.2.
func (w Walk) Organizational() string {
	shortest := w.Start
	for i, s := range w.Steps {
		if s.Found == nil {
			continue
		}
		switch {
		case s.Found.Record.PSD == "n":
			return s.Domain
		case s.Found.Record.PSD == "y" && i > 0:
			return oneBelow(w.Start, s.Domain)
		}
		shortest = s.Domain
	}
	return shortest
}

// oneBelow is the name one label longer than parent on the way down to name.
func oneBelow(name, parent string) string {
	rest := strings.TrimSuffix(name, "."+parent)
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + parent
}

// Policy is the record that applies to the domain where the walk started: its own, its organizational domain's, or that
// of the public suffix above (RFC 9989 §4.10.1); nil when there is none.
func (w Walk) Policy() *Found {
	if first := w.First(); first.Found != nil {
		return first.Found
	}
	organizational := w.Organizational()
	var suffix *Found
	for _, s := range w.Steps {
		if s.Found == nil {
			continue
		}
		if s.Domain == organizational {
			return s.Found
		}
		if s.Found.Record.PSD == "y" {
			suffix = s.Found
		}
	}
	return suffix
}

// Exists reports whether a domain exists for np: it does not when the answer is NXDOMAIN, as RFC 8020 has it (RFC 9989
// §3.2). err is set if there was no answer.
func Exists(ctx context.Context, r lookup.Resolver, domain string) (bool, error) {
	name, ok := lookup.Name(domain)
	if !ok {
		return false, nil
	}
	_, err := r.Query(ctx, name, mdns.TypeA)
	if lookup.NotFound(err) {
		return false, nil
	}
	return err == nil, err
}
