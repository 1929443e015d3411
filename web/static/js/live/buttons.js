// What the reader does: pause and go on, print, try again. While paused, newer updates are held and counted.
const buttons = (() => {
  let paused = false;
  let held = []; // messages as they came

  function count() {
    const n = held.length;
    page.byId('newer').textContent = n ? words.say('Show {n} newer', { n }) : words.say('Continue');
  }

  function hold(m, data) {
    if (m.key) held = []; // a whole page stands for all before it
    held.push(data);
    count();
  }

  function pause() {
    paused = true;
    feed.send({ paused: update.n() });
    count();
    state.look();
  }

  function resume() {
    paused = false;
    feed.send({ resumed: update.n() });
    state.look();
    claims.paint();
    for (const data of held.splice(0)) feed.again(data);
  }

  const deeds = { pause, resume, print: () => print(), retry: () => feed.retry(), fresh: () => sum.show() };

  function clicked(event) {
    const menu = document.querySelector('.person[open]');
    if (menu && !menu.contains(event.target)) menu.open = false;
    const button = event.target.closest('[data-do]');
    if (button) deeds[button.dataset.do]?.();
  }

  function begin() {
    document.addEventListener('click', clicked);
  }

  return {
    begin,
    count,
    hold,
    drop: () => {
      held = [];
    },
    held: () => held.length,
    paused: () => paused,
  };
})();
