// What the review is worked with, kept in this browser as there.

import { remember, remembered } from './outbox.js';

const box = document.querySelector('[data-keys]');
box.checked = remembered(localStorage, 'stt-review', {}).keys ?? true;
box.addEventListener('change', () => {
  remember(localStorage, 'stt-review', { ...remembered(localStorage, 'stt-review', {}), keys: box.checked });
});
