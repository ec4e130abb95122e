import { spawn } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** What `npm start` loads first: compiled before, a program takes half the time to come up. */
export const preloaded = ['--import', join(root, 'server/preload.mjs')]

export interface Run {
  status: number | null
  stdout: string
  stderr: string
}

/** Starts one of the project's own programs as a process of its own, without this process's environment. */
export function startProgram(file: string, args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [...preloaded, join(root, file), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const ended = new Promise<Run>(done => child.once('close', status => done({ status, stdout, stderr })))
  return {
    child,
    ended,
    /** Resolves when the output holds `text`. @throws when the program ends without it */
    async saysOnStdout(text: RegExp): Promise<RegExpExecArray> {
      for (;;) {
        const found = text.exec(stdout)
        if (found) return found
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stderr || stdout}`)
        await new Promise(wait => setTimeout(wait, 30))
      }
    },
  }
}

/** Runs a program to its end. */
export function runProgram(file: string, args: string[], env: Record<string, string> = {}): Promise<Run> {
  const program = startProgram(file, args, env)
  program.child.stdin.end()
  return program.ended
}
