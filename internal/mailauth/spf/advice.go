package spf

import (
	"slices"
	"strings"
)

// Lengths of a record (RFC 7208 §3.4): a record of up to 450 octets fits into an answer of 512 with its name and
// headers.
const (
	LongRecord = 450
	MaxString  = 255 // RFC 1035 §3.3: one character string
)

// Meant reports whether a TXT record was probably meant as an SPF record but is none: wrong version, quotes, no space.
func Meant(text string) bool {
	if IsRecord(text) {
		return false
	}
	lower := strings.ToLower(strings.Trim(strings.TrimSpace(typography().Replace(text)), `"'“”„\ `))
	if IsRecord(lower) {
		return true
	}
	for _, prefix := range []string{"v=spf1", "v=spf ", "spf1 ", "v:spf1", "v = spf1"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return false
}

// Weakness is a practice that RFC 7208 advises against or that does not protect the domain.
type Weakness string

// The weaknesses.
const (
	PassAll      Weakness = "pass-all"              // everyone may send
	NeutralAll   Weakness = "neutral-all"           // neutral about everyone else
	NoAll        Weakness = "no-all"                // the same, because all is missing
	UsesPTR      Weakness = "ptr"                   // RFC 7208 §5.5: do not publish
	MechanismMod Weakness = "mechanism-as-modifier" // include=… is an unknown modifier, which does nothing
	AfterAll     Weakness = "terms-after-all"       // never reached
	RedirectIdle Weakness = "redirect-beside-all"
	Long         Weakness = "long"
)

// Weaknesses lists what is weak about a record without faults.
func (r Record) Weaknesses() []Weakness {
	var list []Weakness
	add := func(w Weakness) {
		if !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	all := r.All()
	switch {
	case all == nil && r.Redirect == nil:
		add(NoAll)
	case all != nil && all.Qualifier == Pass:
		add(PassAll)
	case all != nil && all.Qualifier == Neutral:
		add(NeutralAll)
	}
	for _, t := range r.Terms {
		switch {
		case t.Kind == PTR:
			add(UsesPTR)
		case t.Kind == Unknown && mechanismName(t.Text):
			add(MechanismMod)
		case t.Kind == Redirect && all != nil:
			add(RedirectIdle)
		case all != nil && t.Offset > all.Offset && t.Qualifier != "":
			add(AfterAll)
		}
	}
	if len(r.Raw) > LongRecord {
		add(Long)
	}
	return list
}

// Idle lists the terms without effect: after all, a redirect next to all, a mechanism written as a modifier.
func (r Record) Idle() []string {
	var list []string
	all := r.All()
	for _, t := range r.Terms {
		if t.Kind == Unknown && mechanismName(t.Text) || all != nil &&
			(t.Kind == Redirect || t.Offset > all.Offset && t.Qualifier != "") {
			list = append(list, t.Text)
		}
	}
	return list
}

func mechanismName(modifier string) bool {
	name, _, _ := strings.Cut(strings.ToLower(modifier), "=")
	return slices.Contains([]Kind{All, Include, A, MX, PTR, IP4, IP6, Exists}, Kind(name))
}
