package export

import (
	"encoding/base64"
	"fmt"
	"strings"

	"postier/internal/locale"
)

var kubernetesFormat = Format{
	Name: "kubernetes", Summary: locale.Msg("config.export.kubernetes"), secret: inlineToo,
	carries: envFormat.carries &^ carriesCAFile, write: writeKubernetes,
}

// writeKubernetes writes a ConfigMap with the variables of the format env, and the Secret or the script that makes it.
func writeKubernetes(s source) ([]Artifact, error) {
	// RFC 1123 names have no underscore and end in a letter or digit.
	name := "smtp-" + strings.Trim(strings.ReplaceAll(s.name, "_", "-"), "-")
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\ndata:\n", jsonQuote(name))
	for _, line := range s.variables() {
		if line[0] != "SMTP_CA_FILE" {
			fmt.Fprintf(&b, "  %s: %s\n", line[0], jsonQuote(line[1]))
		}
	}
	if !s.hasPassword() {
		return []Artifact{{Path: name + "-configmap.yaml", Content: []byte(b.String())}}, nil
	}
	fmt.Fprintf(&b, "  SMTP_PASSWORD_FILE: %s\n", jsonQuote("/run/secrets/smtp/password"))
	artifacts := []Artifact{{Path: name + "-configmap.yaml", Content: []byte(b.String())}}
	if secret, ok := s.inline(); ok {
		content := fmt.Sprintf("# %s\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\ntype: Opaque\ndata:\n  "+
			"password: %s\n",
			secretHeader, jsonQuote(name), base64.StdEncoding.EncodeToString([]byte(secret)))
		return append(artifacts, Artifact{Path: name + "-secret.yaml", Content: []byte(content)}), nil
	}
	script := fmt.Sprintf(`#!/bin/sh
# Makes the Secret from the password that postier keeps. Run it again whenever the password has changed.
set -eu
password=$(%s)
printf %%s "$password" | kubectl create secret generic %s --from-file=password=/dev/stdin --dry-run=client -o yaml | kubectl apply -f -
`, shellWords(s.secretCommand()), name)
	return append(artifacts, Artifact{Path: name + "-secret.sh", Content: []byte(script)}), nil
}
