// node schema.mjs CORPUS SCHEMA…: ajv takes the schemas in its strict mode, and judges each file of the corpus as the
// program does, but for those that are marked as beyond a schema. The first schema is that of the corpus.
import fs from 'node:fs'
import Ajv from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const [corpus, ...schemas] = process.argv.slice(2)
const compiled = schemas.map((file) => formats(new Ajv({ strict: true })).compile(JSON.parse(fs.readFileSync(file))))
let wrong = 0
const rows = JSON.parse(fs.readFileSync(corpus))
for (const { name, document, valid, beyond } of rows) {
  const judged = compiled[0](JSON.parse(document))
  if (judged !== (valid || beyond)) {
    wrong++
    console.log(`${name}: ajv says ${judged}, the program ${valid}`, compiled[0].errors ?? '')
  }
}
console.log(`${rows.length} configurations, ${rows.filter((r) => r.beyond).length} beyond a schema, ${wrong} judged otherwise`)
process.exit(wrong > 0 || rows.length < 60 ? 1 : 0)
