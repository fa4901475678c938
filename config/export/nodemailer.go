package export

import (
	"strings"

	"postier/internal/locale"
)

// nodemailerFormat is a module that exports a transport of nodemailer.
var nodemailerFormat = Format{
	Name: "nodemailer", Summary: locale.Msg("config.export.nodemailer"),
	carries: carriesFromName | carriesReplyTo | carriesCAFile | carriesHelo | carriesMechanism,
	write: template{path: "mailer.mjs", quote: all(jsonQuote), text: `import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import nodemailer from "nodemailer";

export default nodemailer.createTransport({
  host: {host},
  port: {=port},
{?tls}  secure: true,
{^tls}  secure: false,
{?starttls}  requireTLS: true,
{?none}  ignoreTLS: true,
  name: {helo},
  tls: { ca: readFileSync({ca}) },
  auth: { user: {user}, pass: readFileSync({file}, "utf8").replace(/\r?\n$/, "") },
  auth: { user: {user}, pass: execFileSync({program}, [{=arguments}], { encoding: "utf8" }).replace(/\r?\n$/, "") },
  authMethod: {nodemechanism},
{^reply}}, { from: { name: {+name}, address: {from} } });
}, { from: { name: {+name}, address: {from} }, replyTo: {reply} });
`}.write,
}

// nodeMechanism is the word of nodemailer for the mechanism that the profile requires; one that it does not know it
// would only refuse when it sends.
func (s source) nodeMechanism() (string, error) {
	if s.mechanism() == "" {
		return "", nil
	}
	mechanism, err := s.passwordMechanism()
	return strings.ToUpper(string(mechanism)), err
}
