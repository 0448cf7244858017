// A page that answers a form can be left and come back to: its place in the history is that
// of a page that can be asked for again, and nothing is sent twice.

history.replaceState(null, '', document.querySelector('[data-again]').dataset.again);
