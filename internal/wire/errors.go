package wire

import "errors"

// Faults of a certificate that crypto/x509 does not report.
var (
	ErrNoCertificate = errors.New("the server showed no certificate")
	ErrPinChanged    = errors.New("the server's key is not the one that was pinned")
)
