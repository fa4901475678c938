// Package smtp climbs the submission ladder rung by rung: name, connection over both address families, greeting, TLS,
// certificate, EHLO, AUTH, sender, recipient and, when asked to, a message. It holds a client of internal/smtp, takes
// its steps one by one and judges each; the cause of a failure comes from the catalogue (package explain).
package smtp
