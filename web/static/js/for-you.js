// How many lines wait under "For you", in the head: asked for while the page is on screen, so that it is told at once.
const forYou = document.getElementById('for-you');
if (forYou) {
  let asking = false;
  const ask = async () => {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(`/for-you/count?seen=${forYou.dataset.count}`, { headers: { 'hx-request': 'true' } });
      if (answer.status === 200) {
        const many = await answer.text();
        const shown = forYou.querySelector('b');
        forYou.dataset.count = shown.textContent = many;
        shown.hidden = many === '0';
      } else if (answer.status !== 204 && answer.status < 500) {
        clearInterval(asks);
      }
    } catch {
      // asked again at the next turn
    }
    asking = false;
  };
  const asks = setInterval(ask, 800);
  document.addEventListener('visibilitychange', ask);
}
