// A page that answers a form can be left and come back to: its place in the history is that
// of a page that can be asked for again, and nothing is sent twice.

const page = document.querySelector('[data-again]');
if (page) history.replaceState(null, '', page.dataset.again);
