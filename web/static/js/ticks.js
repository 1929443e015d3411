// All or None of the ticks of one name in a section, without a request, and how many are ticked.
const ticks = (near, name) => [...near.closest('section').querySelectorAll(`td input[name="${name}"]`)];
const count = () => {
  for (const said of document.querySelectorAll('[data-ticked]')) {
    const all = ticks(said, said.dataset.ticked);
    said.firstElementChild.textContent = all.filter((box) => box.checked).length;
    said.hidden = false;
  }
};
document.addEventListener('click', (event) => {
  const way = event.target.closest('[data-tick]');
  if (!way || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  for (const box of ticks(way, way.dataset.tick)) box.checked = way.dataset.to === 'all';
  count();
});
document.addEventListener('change', count);
document.addEventListener('DOMContentLoaded', count);
