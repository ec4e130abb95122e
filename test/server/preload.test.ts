import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { preloaded } from '../support/process.ts'

const driver = createRequire(import.meta.url)
  .resolve('postgres')
  .replace('/cjs/src/index.js', '/src/query.js')

/** What a program prints with and without what `npm start` loads first. */
function printed(program: string, args: string[]): string {
  return execFileSync(process.execPath, [...args, '--input-type=module', '-e', program], { encoding: 'utf8' })
}

describe('what is loaded before the server', () => {
  // V8 keeps a function that is written straight behind `object.property =` among the old objects
  const queryAsLoaded = `
    const { Query } = await import(${JSON.stringify(driver)})
    console.log(String(Query).match(/this\\.(resolve|reject) = .*/g).map(line => line.trim()).join('\\n'))`

  test('finds the lines of the driver that it changes', () => {
    const before = printed(queryAsLoaded, []).split('\n')
    const after = printed(queryAsLoaded, preloaded).split('\n')
    expect(before.slice(0, 2)).toEqual([
      'this.resolve = x => (this.active = false, resolve(x))',
      'this.reject = x => (this.active = false, reject(x))',
    ])
    expect(after.slice(0, 2)).toEqual([
      'this.resolve = young(x => (this.active = false, resolve(x)))',
      'this.reject = young(x => (this.active = false, reject(x)))',
    ])
  })

  test('leaves alone what is loaded later, such as a package whose files require each other in a circle', () => {
    const loads = `
      const { default: exceljs } = await import(${JSON.stringify(import.meta.resolve('exceljs'))})
      console.log(new exceljs.Workbook().addWorksheet('表').name)`
    expect(printed(loads, preloaded)).toBe('表\n')
  })

  test('leaves a query what it is', () => {
    const asked = `
      const { Query } = await import(${JSON.stringify(driver)})
      const ended = outcome => new Query(['select'], [], query => query[outcome](outcome), () => {})
      console.log(await ended('resolve'), await ended('reject').catch(error => error), ended('resolve') instanceof Promise)`
    expect(printed(asked, preloaded)).toBe('resolve reject true\n')
    expect(printed(asked, preloaded)).toBe(printed(asked, []))
  })
})
