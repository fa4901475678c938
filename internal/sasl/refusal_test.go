package sasl

import "testing"

func TestRefusesMechanism(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code int
		text string
		want bool
	}{
		{500, "500 5.5.1 Command unrecognized", true},
		{502, "502 5.5.2 Error: command not recognized", true},
		{503, "503 AUTH mechanism not available", true},
		{504, "504 5.7.4 Unrecognized authentication type", true},
		{504, "504 5.5.1 PLAIN not supported", true},
		{535, "535 5.7.8 Error: authentication failed: Invalid authentication mechanism", true},
		{535, "535 Authentication method not supported", true},
		{530, "530 5.7.0 SASL mechanism unavailable", true},
		{534, "534 5.7.9 Authentication mechanism is too weak", true},
		{534, "534 5.7.9 Application-specific password required", false},
		{535, "535 5.7.8 Username and Password not accepted", false},
		{535, "535 5.7.3 Authentication unsuccessful", false},
		{535, "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect", false},
		{535, "535 5.7.8 PLAIN authentication not allowed", true},
		{535, "535 5.7.8 AUTH PLAIN not supported", true},
		{535, "535 5.7.4 Unrecognized", true},
		{535, "535 5.5.4 Invalid input", true},
		{535, "535 Login not allowed", false},
		{535, "535 5.7.8 Error: authentication failed:", false},
		{530, "530 5.7.0 Authentication required", true},
		{530, "530 Invalid input", true},
		{530, "530 5.7.57 Client not authenticated to send mail", true},
		{530, "530 Login denied", false},
		{530, "530 Account locked", false},
		{534, "534 5.7.9 Invalid input", true},
		{534, "534 5.7.14 <https://accounts.example/ContinueSignIn> Please log in via your web browser", false},
		{525, "525 5.7.13 User account disabled", false},
		{523, "523 5.7.10 Encryption needed for the mechanism", true},
		{501, "501 invalid password", false},
		{454, "454 4.7.0 Temporary authentication failure: mechanism", false},
		{530, "530 5.7.0 Must issue a STARTTLS command first", false},
		{550, "550 5.1.1 mailbox unavailable", false},
	} {
		if got := RefusesMechanism(c.code, c.text); got != c.want {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
}
