import { enableCompileCache, flushCompileCache, registerHooks } from 'node:module'
import { join } from 'node:path'

// Loaded before everything else by `npm start` (docs/performance.md): without it the server works as well, but starts
// in twice the time and takes 80 MB more.

// what the compiler made of our files is kept, types stripped; in our own folder, for a shared one could be tampered with
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'))
// by itself it is written at a proper end only, and servers are killed, too
setTimeout(flushCompileCache, 5000).unref()

// Node reads a package's whole package.json for every file of it; drizzle's is large and has hundreds of files. Within
// the package a relative path is a path.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('.') && context.parentURL?.includes('/node_modules/drizzle-orm/'))
      return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
    return next(specifier, context)
  },
})

// V8 puts a function that is written straight behind `object.property =` among the old objects, as if it were a method
// that stays. The driver gives each query two of them, and they hold it, its parameters and its rows until the next great
// collection: what would have been gone with the young objects fills the heap (docs/performance.md). Taken away again as
// soon as the driver is loaded: under such a hook Node loads CommonJS in another way, which breaks on circles.
const forTheDriver = registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/node_modules/postgres/src/query.js')) return loaded
    const source = `${loaded.source}`.replace(
      /\bthis\.(resolve|reject) = (x => .*)$/gm,
      'this.$1 = young($2)',
    )
    return { ...loaded, source: `${source}\nfunction young(made) { return made }\n` }
  },
})
await import('postgres')
forTheDriver.deregister()
