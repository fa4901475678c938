// A real authorization server (npm oidc-provider) on loopback, with the device flow, PKCE and rotating refresh tokens.
// Usage: node server.mjs KEY CERT; it prints its address once it listens. Any name signs in, as whoever it says.
//
// A POST to /stage sets the scene for the codes that come: ?life=SECONDS of a code, and ?answers=503,slow_down, which the token
// endpoint gives first, one at a request, before it says what is true.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file))
// The package lies where the test was started, not beside this file.
const found = createRequire(`${process.cwd()}/`).resolve('oidc-provider')
const { default: Provider } = await import(pathToFileURL(found).href)

const life = 300
const stage = { life, answers: [] }

async function onStage(ctx, next) {
  if (ctx.path === '/stage') {
    stage.life = Number(ctx.query.life ?? life)
    stage.answers = (ctx.query.answers ?? '').split(',').filter(Boolean)
    ctx.status = 204
    return
  }
  if (ctx.path === '/token' && stage.answers.length > 0) {
    const answer = stage.answers.shift()
    ctx.status = answer === 'slow_down' ? 400 : Number(answer)
    ctx.body = answer === 'slow_down' ? { error: answer } : 'out of order'
    return
  }
  await next()
  if (ctx.path === '/device/auth' && ctx.status === 200) ctx.body.interval = 1 // without it, RFC 8628 §3.2 wants five seconds
}

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
    ttl: { AccessToken: 3600, DeviceCode: () => stage.life, RefreshToken: 86400 },
  })
  provider.use(onStage)
  console.log(issuer)
})
