// What the page claims to have shown: cumulative, at most one a second, and only while somebody could see it.
const claims = (() => {
  const APART = 1000;

  let painted = 0; // the newest update claimed
  let claimedAt = 0;
  let away = false; // the page was out of sight since the last claim
  let met = false; // this connection answered the hello

  function claim() {
    if (!met || document.hidden || buttons.paused() || !feed.open()) return;
    if (painted >= update.n() && !away) return;
    const wait = claimedAt + APART - Date.now();
    if (wait > 0) {
      setTimeout(paint, wait);
      return;
    }
    feed.send({ painted: update.n(), from: painted });
    painted = update.n();
    away = false;
    claimedAt = Date.now();
  }

  function paint() {
    requestAnimationFrame(claim);
  }

  function connected() {
    met = false;
    away = true;
  }

  function answered() {
    if (met) return;
    met = true;
    if (buttons.paused()) feed.send({ paused: update.n() });
    paint();
  }

  function hidden() {
    away = true;
    feed.send({ hidden: update.n() });
  }

  return { paint, connected, answered, hidden };
})();
