// Starts the live page: says where it stands, applies updates in order, claims what it showed, and says when it is old.
if (page.feed) {
  update.begin();
  sum.begin();
  feed.begin();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      claims.hidden();
    } else {
      claims.paint();
      state.look();
    }
  });
  document.addEventListener('submit', (event) => {
    // what was typed would be lost on the way to signing in
    if (!state.is('signed-out') || !event.target.elements.head) return;
    event.preventDefault();
    scrollTo(0, 0);
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) feed.retry();
  });
  buttons.begin();
  answering.begin();
  setInterval(state.look, 1000);
  today.draw();
  state.show('live');
}
