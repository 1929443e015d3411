// The live page's fixed points. The feed element names the share's socket; the page of a share that ended has none.
const page = {
  root: document.documentElement,
  feed: document.getElementById('feed'),
  title: document.title,
  byId: (id) => document.getElementById(id),
};
