// One recording sounds at a time, however many players a page has.
addEventListener('play', ({ target }) => {
  for (const other of document.querySelectorAll('audio')) if (other !== target) other.pause();
}, true);
