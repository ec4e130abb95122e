export { desk, openBrowser, openWindow, phone } from '../../scripts/support/browser.ts'
