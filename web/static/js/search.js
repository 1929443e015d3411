// The search field in the bar: "/" or Ctrl K leads to it, arrows go through what was found, Escape leaves.
const searchField = document.getElementById('find');
if (searchField) {
  const form = searchField.form;
  const found = document.getElementById('found');
  const typing = (element) => element.closest?.('input, textarea, select, [contenteditable]');
  document.addEventListener('keydown', (event) => {
    const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
    const slash = event.key === '/' && bare && !typing(event.target);
    const letter = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!slash && !letter) return;
    event.preventDefault();
    if (searchField.checkVisibility()) searchField.select();
    else location.href = form.action;
  });
  form.addEventListener('keydown', (event) => {
    const stops = [searchField, ...(found?.querySelectorAll('a') ?? [])];
    const at = stops.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && at >= 0) {
      event.preventDefault();
      stops[Math.min(Math.max(at + step, 0), stops.length - 1)].focus();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      found?.replaceChildren();
      searchField.value = '';
      searchField.focus();
      searchField.blur();
    }
  });
}
