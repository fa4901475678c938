// Writes the vendor file and the configuration that lead postier to the test's server.
// Usage: node vendor.mjs ISSUER PRESET FOLDER
import { readFileSync, writeFileSync } from 'node:fs'

const [issuer, preset, folder] = process.argv.slice(2)
const provider = JSON.parse(readFileSync(preset, 'utf8'))
const server = { host: '127.0.0.1', port: 1, security: 'tls' } // nothing listens there: the mail server is another test's matter
Object.assign(provider, {
  id: 'e2e-oauth', name: 'E2E', domains: ['oauth.postier.test'], mx_suffixes: [], smtp: [server], imap: [server],
  auth: ['xoauth2'], credential: { type: 'oauth' }, needs_app_password: 'no',
  password_auth_status: { ...provider.password_auth_status, status: 'oauth-only' },
  oauth: {
    provider: 'e2e', flow: 'device-code', auth_url: `${issuer}/auth`, token_url: `${issuer}/token`, device_url: `${issuer}/device/auth`,
    scopes: ['openid', 'email', 'offline_access', 'mail:send'], sasl: ['xoauth2'], confidence: 'verified', sources: [],
    note: { en: 'For a test.', fr: 'Pour un essai.', de: 'Für einen Test.' },
  },
})
// No password works there, so nothing of its making may stay.
for (const key of ['app_password_steps', 'app_password_shape']) {
  delete provider[key]
  delete provider.confidence[key]
}
const write = (name, value) => writeFileSync(`${folder}/${name}`, JSON.stringify(value, null, 2), { mode: 0o600 })
write('vendor.json', { version: 1, providers: [provider], oauth: { e2e: { client_id: 'postier-e2e' } } })
write('config.json', {
  version: 1, default: 'anna',
  profiles: {
    anna: {
      enabled: true, provider: 'e2e-oauth', from: { address: 'anna@oauth.postier.test' },
      submission: { ...server, auth: 'xoauth2', username: 'anna@oauth.postier.test' },
      credential: { kind: 'oauth', type: 'oauth', provider: 'e2e', client_id: 'postier-e2e', path: 'secrets/anna.oauth.json' },
      sent_copy: { mode: 'none' }, limits: {}, test_mode: {},
    },
  },
})
