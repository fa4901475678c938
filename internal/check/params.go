package check

import (
	"iter"
	"reflect"
	"strconv"
	"strings"

	"postier/internal/safetext"
)

// Params are what the catalogue's sentence about a cause may name, as {host} or {folder}: a field a placeholder. What
// is not known is empty, and a sentence that needs it is left out.
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

// Number is a number for a sentence.
func Number(n int) safetext.Remote { return safetext.FromRemote(strconv.Itoa(n)) }

// All goes through the names of the placeholders and what is known for them, in alphabetical order.
func (p Params) All() iter.Seq2[string, safetext.Remote] {
	return func(yield func(string, safetext.Remote) bool) {
		for field, value := range reflect.ValueOf(p).Fields() {
			if !yield(strings.ToLower(field.Name), value.Interface().(safetext.Remote)) {
				return
			}
		}
	}
}

// With adds what is known in more.
func (p Params) With(more Params) Params {
	out := reflect.ValueOf(&p).Elem()
	for field, value := range reflect.ValueOf(more).Fields() {
		if !value.IsZero() {
			out.FieldByIndex(field.Index).Set(value)
		}
	}
	return p
}
