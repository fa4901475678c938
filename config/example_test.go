package config_test

import (
	"fmt"

	"postier/config"
)

// A program that sends by itself reads the profile for its sender, and finds out whether it was proven.
func ExampleLoad() {
	document, err := config.Parse("/etc/postier/config.json", []byte(`{
		"version": 1,
		"default": "durand",
		"profiles": {"durand": {
			"enabled": true,
			"from": {"address": "contact@durand.example"},
			"submission": {"host": "smtp.durand.example", "port": 465, "security": "tls", "auth": "auto",
			               "username": "contact@durand.example"},
			"credential": {"kind": "file", "path": "secrets/durand", "type": "password"},
			"sent_copy": {"mode": "none"}
		}}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	p := document.File.Profiles[document.File.Default]
	fmt.Println(p.Submission.Host, p.Submission.Port, p.Submission.Security, p.Proven())
	// Output: smtp.durand.example 465 tls false
}

// What is wrong with settings is said in the language of the person.
func ExampleWords() {
	p := &config.Profile{
		Enabled: true,
		From:    config.Address{Address: "contact@durand.example"},
		Submission: config.Server{
			Host: "smtp durand", Port: config.PortSubmissions, Security: config.SecurityTLS, Auth: config.MechanismNone,
		},
		SentCopy: config.SentCopy{Mode: config.SentNone},
	}
	for _, fault := range config.ValidateProfile(p).Errors() {
		fmt.Println(fault.Path)
		fmt.Println(config.Words(fault.Text, "en"))
	}
	// Output:
	// submission.host
	// “smtp durand” is not a server name. A name looks like smtp.example.com: letters, digits, hyphens and dots.
}
