package wire

import "errors"

// Faults of a certificate beside those of crypto/x509.
var (
	ErrNoCertificate = errors.New("the server showed no certificate")
	ErrPinChanged    = errors.New("the server's key is not the one that was pinned")
)
