// Sends a table that is too large for a form before the form, which then names it.

import * as direct from './direct.js';

document.addEventListener('submit', async (event) => {
  const form = event.target;
  const chosen = form.elements.table;
  const file = chosen?.files?.[0];
  if (!direct.isLarge(file)) return;
  event.preventDefault();
  const told = form.querySelector('[data-sending]');
  const buttons = [...form.querySelectorAll('button')];
  const pressed = event.submitter;
  const tell = (text) => { told.textContent = text; };
  const share = (part) => tell(`The table is being uploaded: ${Math.round(part * 100)} %.`);
  for (const button of buttons) button.disabled = true;
  share(0);
  try {
    const id = await direct.sendTable(file, share);
    // What was said of a table before is not said of this one.
    for (const before of form.querySelectorAll('[name=kept], [name=kept_name], [name=leave_out]')) before.disabled = true;
    for (const [name, value] of [['kept', id], ['kept_name', file.name]]) {
      const field = document.createElement('input');
      Object.assign(field, { type: 'hidden', name, value });
      form.append(field);
    }
    chosen.required = false;
    chosen.value = '';
    tell('The table is uploaded.');
  } catch (error) {
    tell(`The table was not uploaded. ${direct.why(error)}`);
    told.scrollIntoView({ block: 'center' });
  }
  for (const button of buttons) button.disabled = false;
  if (!chosen.value) form.requestSubmit(pressed);
});
