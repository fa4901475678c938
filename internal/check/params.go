package check

import (
	"iter"
	"reflect"
	"strconv"
	"strings"

	"postier/internal/safetext"
)

// Params holds the values for the placeholders in the catalogue's sentence about a cause, such as {host} or {folder};
// each field is one placeholder. An unknown value is empty, and a sentence that needs it is left out.
type Params struct {
	Bits      safetext.Remote
	Count     safetext.Remote
	Days      safetext.Remote
	Domain    safetext.Remote
	Folder    safetext.Remote
	From      safetext.Remote // an address, or a day
	Host      safetext.Remote
	IP        safetext.Remote
	Issuer    safetext.Remote
	Length    safetext.Remote
	Limit     safetext.Remote
	Mailbox   safetext.Remote
	Name      safetext.Remote
	Names     safetext.Remote
	Now       safetext.Remote
	Percent   safetext.Remote
	Policy    safetext.Remote
	Port      safetext.Remote
	Position  safetext.Remote
	Problem   safetext.Remote
	Recipient safetext.Remote
	Seconds   safetext.Remote
	Selector  safetext.Remote
	Tag       safetext.Remote
	Term      safetext.Remote
	Token     safetext.Remote
	Until     safetext.Remote
	Username  safetext.Remote
	Value     safetext.Remote
}

// Number formats a number as a parameter.
func Number(n int) safetext.Remote { return safetext.FromRemote(strconv.Itoa(n)) }

// All iterates over the placeholders and their values, in alphabetical order.
func (p Params) All() iter.Seq2[string, safetext.Remote] {
	return func(yield func(string, safetext.Remote) bool) {
		for field, value := range reflect.ValueOf(p).Fields() {
			if !yield(strings.ToLower(field.Name), value.Interface().(safetext.Remote)) {
				return
			}
		}
	}
}

// With returns p with the values that more has.
func (p Params) With(more Params) Params {
	out := reflect.ValueOf(&p).Elem()
	for field, value := range reflect.ValueOf(more).Fields() {
		if !value.IsZero() {
			out.FieldByIndex(field.Index).Set(value)
		}
	}
	return p
}
