// The live page's fixed points. The feed element names the share's socket; the page of a share that ended has none.
const page = {
  root: document.documentElement,
  feed: document.getElementById('feed'),
  title: document.title,
  style: document.getElementById('style'), // what the update on screen is drawn with
  look: document.getElementById('brand')?.dataset.look ?? '',
  byId: (id) => document.getElementById(id),
};
