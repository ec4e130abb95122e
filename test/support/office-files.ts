import { deflateRawSync } from 'node:zlib'

/** An entry of a ZIP file. */
export interface Entry {
  name: string
  bytes: Buffer
  /** What the directory says that it unpacks to, where that is a lie. */
  says?: number
}

/** A ZIP file as Office writes them. Its checksums are left out: nobody here looks at them. */
export function zipOf(entries: readonly Entry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, bytes, says = bytes.length } of entries) {
    const packed = deflateRawSync(bytes)
    const file = Buffer.from(name)
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt16LE(8, 8)
    header.writeUInt32LE(packed.length, 18)
    header.writeUInt32LE(says, 22)
    header.writeUInt16LE(file.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(8, 10)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt32LE(says, 24)
    entry.writeUInt16LE(file.length, 28)
    entry.writeUInt32LE(at, 42)
    parts.push(header, file, packed)
    directory.push(entry, file)
    at += header.length + file.length + packed.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, listed, end])
}

/** A document with these paragraphs; each is set in two runs, as Word does where somebody has corrected a word. */
export function docxOf(...paragraphs: string[]): Buffer {
  const body = paragraphs.map(text => {
    const middle = Math.floor(text.length / 2)
    const runs = [text.slice(0, middle), text.slice(middle)]
    return `<w:p>${runs.map(run => `<w:r><w:t xml:space="preserve">${escaped(run)}</w:t></w:r>`).join('')}</w:p>`
  })
  return zipOf([
    { name: '[Content_Types].xml', bytes: Buffer.from('<Types/>') },
    {
      name: 'word/document.xml',
      bytes: Buffer.from(`<?xml version="1.0"?><w:document><w:body>${body.join('')}</w:body></w:document>`),
    },
  ])
}

/** A workbook with these cells, one below the other. */
export function xlsxOf(...cells: string[]): Buffer {
  return zipOf([
    {
      name: 'xl/workbook.xml',
      bytes: Buffer.from('<workbook><sheets><sheet name="名册" sheetId="1"/></sheets></workbook>'),
    },
    {
      name: 'xl/sharedStrings.xml',
      bytes: Buffer.from(`<sst>${cells.map(text => `<si><t>${escaped(text)}</t></si>`).join('')}</sst>`),
    },
    { name: 'xl/worksheets/sheet1.xml', bytes: Buffer.from('<worksheet><sheetData/></worksheet>') },
  ])
}

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
