// Lists of things to choose: how many are chosen, all or none, and a filter by name. The boxes work without it.
for (const chooser of document.querySelectorAll('.chooser')) {
  const boxes = [...chooser.querySelectorAll('.pick input')];
  const said = chooser.querySelector('output');
  if (!said) continue;
  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    said.textContent = said.dataset.says.replace('{n}', chosen).replace('{all}', boxes.length);
  };
  for (const part of chooser.querySelectorAll('.scripted')) part.hidden = false;
  for (const button of chooser.querySelectorAll('[data-pick]')) {
    button.onclick = () => {
      for (const box of boxes) {
        if (!box.closest('li').hidden) box.checked = button.dataset.pick === 'all';
      }
      count();
      boxes[0].dispatchEvent(new Event('change', { bubbles: true }));
    };
  }
  const filter = chooser.querySelector('input[type=search]');
  filter?.addEventListener('input', (event) => {
    event.stopPropagation();
    const wanted = filter.value.trim().toLocaleLowerCase();
    for (const box of boxes) {
      const row = box.closest('li');
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    }
  });
  filter?.addEventListener('change', (event) => event.stopPropagation());
  chooser.addEventListener('change', count);
  count();
}
