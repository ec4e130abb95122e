import { join } from 'node:path'
import { connectDatabase, type Database } from './client.ts'
import { startEmbeddedPostgres } from './embedded.ts'
import { createDatabase, migrateDatabase } from './migrate.ts'

export interface OpenOptions {
  /** null: the embedded PostgreSQL in `dataFolder`. */
  databaseUrl: string | null
  databasePool: number
  dataFolder: string
}

/** The database of a configuration: started when it is the embedded one, migrated, connected. */
export async function openDatabase(options: OpenOptions): Promise<Database & { url: string }> {
  if (options.databaseUrl !== null) {
    await migrateDatabase(options.databaseUrl)
    return { ...connectDatabase(options.databaseUrl, options.databasePool), url: options.databaseUrl }
  }
  const embedded = await startEmbeddedPostgres({ folder: join(options.dataFolder, 'postgres') })
  try {
    const url = await createDatabase(embedded.url, 'qunzhen')
    await migrateDatabase(url)
    const { db, close } = connectDatabase(url, options.databasePool)
    return {
      db,
      url,
      async close() {
        await close()
        await embedded.stop()
      },
    }
  } catch (error) {
    await embedded.stop()
    throw error
  }
}
