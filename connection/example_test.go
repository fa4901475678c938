package connection_test

import (
	"context"
	"fmt"
	"time"

	"postier/config"
	"postier/connection"
	"postier/internal/rehearsal"
)

// The settings of a form are tested before they are saved. The servers of this example are those of `postier demo`.
func ExampleCheckSettings() {
	provider, err := rehearsal.Start(context.Background(), rehearsal.Options{Serve: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer provider.Close()
	server := provider.SMTPEndpoints()[0]
	settings := &config.Profile{
		Enabled: true,
		From:    config.Address{Address: "marie@atelier-demo.example"},
		Submission: config.Server{
			Host: server.Host, Port: server.Port, Security: server.Security, Auth: config.MechanismAuto,
			Username: "marie@atelier-demo.example",
		},
		Credential: config.Credential{Kind: config.CredentialAsk},
		SentCopy:   config.SentCopy{Mode: config.SentNone},
	}
	options := connection.Options{
		Language: "en", Resolver: provider.DNSAddr(), Roots: provider.Roots, Timeout: 20 * time.Second,
		Progress: func(step connection.Step) {
			if step.ID == "smtp.auth" && step.Status != "" {
				fmt.Printf("%s %s\n", step.Name, step.Status)
			}
		},
	}
	for _, password := range []string{"kivo-tams-relu-pade", "mistyped"} {
		result, err := connection.CheckSettings(context.Background(), settings, password, options)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("works:", result.Works)
		if result.Root != nil {
			fmt.Println(result.Root.Code, result.Root.Title)
		}
	}
	// Output:
	// Signing in to send pass
	// works: true
	// Signing in to send fail
	// works: false
	// A-14 User name or password not accepted
}
