// Puts a key that is shown once where it can be pasted from.

import './again.js';

for (const button of document.querySelectorAll('[data-copy]')) {
  // Where a page is not trusted a browser has no such thing.
  button.hidden = !navigator.clipboard;
  button.addEventListener('click', async () => {
    const told = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      told.textContent = 'Copied.';
    } catch {
      told.textContent = 'The browser does not allow it: select the key, and copy it.';
    }
  });
}
