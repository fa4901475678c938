package export

import (
	"encoding/base64"
	"strings"

	"postier/internal/locale"
)

// kubernetesFormat is a ConfigMap with the variables of the format env, and the Secret or the script that makes it.
var kubernetesFormat = Format{
	Name: "kubernetes", Summary: locale.Msg("config.export.kubernetes"), secret: inlineToo,
	carries: envFormat.carries, holdsAuthority: true, write: writeKubernetes,
}

func writeKubernetes(s source) ([]Artifact, error) {
	secret, _ := s.inline()
	words := map[string]string{
		// RFC 1123 names have no underscore and end in a letter or digit.
		"resource": "smtp-" + strings.Trim(strings.ReplaceAll(s.name, "_", "-"), "-"),
		"encoded":  base64.StdEncoding.EncodeToString([]byte(secret)),
		"ca":       "",
	}
	authority, err := s.authorityPEM()
	if err != nil {
		return nil, err
	}
	if words["authority"] = authority; authority != "" {
		words["ca"] = "/run/smtp-ca/ca.crt"
	}
	artifacts, err := s.fill(words, template{"{=resource}-configmap.yaml", all(jsonQuote), `apiVersion: v1
kind: ConfigMap
metadata:
  name: {resource}
data:
` + variables("  ", ": ", "") + `{?auth}  SMTP_PASSWORD_FILE: "/run/secrets/smtp/password"
{?authority}---
{?authority}apiVersion: v1
{?authority}kind: ConfigMap
{?authority}metadata:
{?authority}  name: "{=resource}-ca"
{?authority}data:
  ca.crt: {authority}
`}, template{"{?auth}{?inline}{=resource}-secret.yaml", all(jsonQuote), `# {=secretheader}
apiVersion: v1
kind: Secret
metadata:
  name: {resource}
type: Opaque
data:
  password: {=encoded}
`}, template{"{?auth}{^inline}{=resource}-secret.sh", nil, `#!/bin/sh
# Makes the Secret from the password that postier keeps. Run it again whenever the password has changed.
set -eu
password=$({=words})
printf %s "$password" | kubectl create secret generic {=resource} --from-file=password=/dev/stdin --dry-run=client -o yaml | kubectl apply -f -
`})
	if err == nil && authority != "" {
		artifacts[0].Notes = []locale.Text{locale.Msg("config.export.kubernetes.authority", "name", words["resource"]+"-ca")}
	}
	return artifacts, err
}
