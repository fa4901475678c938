// A real authorization server (npm oidc-provider) on loopback, with the device flow, PKCE and rotating refresh tokens.
// Usage: node server.mjs KEY CERT; it prints its address once it listens. Any name signs in, as whoever it says.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file))
// The package lies where the test was started, not beside this file.
const found = createRequire(`${process.cwd()}/`).resolve('oidc-provider')
const { default: Provider } = await import(pathToFileURL(found).href)

let provider
const server = createServer({ key, cert }, (request, response) => provider.callback()(request, response))
server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${server.address().port}`
  provider = new Provider(issuer, {
    clients: [{
      client_id: 'postier-e2e',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/'],
    }],
    scopes: ['openid', 'email', 'offline_access', 'mail:send'],
    claims: { openid: ['sub'], email: ['email'] },
    conformIdTokenClaims: false,
    features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
    cookies: { keys: ['only for this test'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    ttl: { AccessToken: 3600, DeviceCode: 300, RefreshToken: 86400 },
  })
  console.log(issuer)
})
