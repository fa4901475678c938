// The person with a browser: opens an address, fills in every form, and prints where the browser ends.
// Usage: node person.mjs ADDRESS NAME agree|decline
const [start, name, answer] = process.argv.slice(2)
const cookies = new Map()

async function open(url, options = {}) {
  for (let hops = 0; hops < 20; hops++) {
    if (!url.startsWith('https://')) return { url, text: '' } // the browser stops: nothing listens there
    const headers = { ...options.headers, cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') }
    const response = await fetch(url, { ...options, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';')
      const cut = pair.indexOf('=')
      cookies.set(pair.slice(0, cut), pair.slice(cut + 1))
    }
    const location = response.headers.get('location')
    if (!location) return { url, text: await response.text() }
    url = new URL(location, url).href
    options = {}
  }
  throw new Error('the pages lead in a circle')
}

function formOf({ url, text }) {
  const form = /<form[^>]*action="([^"]+)"[^>]*>([\s\S]*?)<\/form>/.exec(text)
  if (!form) return null
  const fields = new URLSearchParams()
  for (const [tag] of form[2].matchAll(/<input[^>]*>/g)) {
    const key = /name="([^"]+)"/.exec(tag)?.[1]
    if (key) fields.set(key, /value="([^"]*)"/.exec(tag)?.[1].replaceAll('&amp;', '&') ?? '')
  }
  if (fields.has('login')) fields.set('login', name)
  if (fields.has('password')) fields.set('password', 'any')
  return { action: new URL(form[1].replaceAll('&amp;', '&'), url).href, fields, asksConsent: /confirm/.test(form[0] + text) }
}

let page = await open(start)
for (let steps = 0; steps < 10; steps++) {
  const form = formOf(page)
  if (!form) break
  // The device page asks once whether the code is the right one; that is where a person says no.
  if (answer === 'decline' && /name="abort"|value="yes"/.test(page.text)) form.fields.set('abort', 'yes')
  page = await open(form.action, {
    method: 'POST', body: form.fields.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
}
console.log(page.url)
