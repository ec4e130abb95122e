// Small helps for pages that work without: a question before a grave deed, and no doubled form.
document.addEventListener('submit', event => {
  const form = event.target
  const words = form.dataset.sure
  if (words && !window.confirm(words)) {
    event.preventDefault()
    return
  }
  if (form.dataset.sent) {
    event.preventDefault()
    return
  }
  form.dataset.sent = 'yes'
  for (const button of form.querySelectorAll('button:not([name])')) button.disabled = true
  // a page that comes back from the browser's memory can be sent again
  setTimeout(() => unlock(form), 8000)
})
window.addEventListener('pageshow', () => document.querySelectorAll('form').forEach(unlock))

function unlock(form) {
  delete form.dataset.sent
  for (const button of form.querySelectorAll('button')) button.disabled = false
}

// on a phone the navigation is wider than the window: show where one is
document.querySelector('.top nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })

// a filter takes effect when it is changed; without this there is its button
document.addEventListener('change', event => {
  if (event.target.dataset.auto !== undefined) event.target.form.requestSubmit()
})
document.addEventListener('click', event => {
  const fold = event.target.closest('[data-fold]')
  if (fold) {
    const isOpen = fold.getAttribute('aria-expanded') === 'true'
    fold.setAttribute('aria-expanded', String(!isOpen))
    fold.parentElement.nextElementSibling.hidden = isOpen
  }
  if (event.target.closest('[data-print]')) window.print()
})
