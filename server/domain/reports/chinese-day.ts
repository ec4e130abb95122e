/** `2026-11-02` as 2026年11月2日; empty stays empty. */
export function chineseDay(day: string): string {
  const [year, month, date] = day.split('-')
  return year && month && date ? `${year}年${Number(month)}月${Number(date)}日` : ''
}
