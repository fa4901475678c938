package delivery_test

import (
	"fmt"

	"postier/config"
	"postier/delivery"
)

// Which profile sends a message, and to whom, is known before anything is sent.
func ExampleDecide() {
	f := &config.File{Version: config.Version, Default: "durand", Profiles: map[string]*config.Profile{
		"durand": {
			Enabled: true, From: config.Address{Address: "contact@durand.example"}, Senders: []string{"durand.example"},
			TestMode: config.TestMode{Enabled: true, Address: "essai@durand.example"},
		},
	}}
	d := delivery.Decide(f, delivery.Request{
		Author: "contact@durand.example", Recipients: []string{"client@elsewhere.example"},
	}, delivery.Facts{})
	fmt.Println(d.Send, d.Profile, d.Recipients, d.Originals)
	// Output: true durand [essai@durand.example] [client@elsewhere.example]
}
