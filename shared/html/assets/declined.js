// What the service has declined for good: told with what was said, until the clip is judged anew
// or it is let go of.

import * as labels from './visible.js';

const make = (tag, values) => Object.assign(document.createElement(tag), values);

// What an entry says of its transcriptions, for eyes.
function said(entry) {
  let before;
  const parts = [];
  for (const [name, value] of new URLSearchParams(entry.body)) {
    const [, letter, what] = name.match(/^([A-Z])\.(?!seen)(.+)/) ?? [];
    if (!letter || !value) continue;
    const text = what === 'comment' ? `“${value}”` : (what === 'verdict' ? value : what).replaceAll('_', ' ');
    parts.push(letter === before ? text : `${letter} ${text}`);
    before = letter;
  }
  return make('bdi', { textContent: labels.visible(parts.join(', ')) });
}

// Sent as by a browser without scripts: its answer has what stands beside what was said.
function again(entry) {
  const form = make('form', { method: 'post', action: entry.url });
  for (const [name, value] of new URLSearchParams(entry.body)) {
    form.append(make('input', { type: 'hidden', name, value: name === 'go' ? 'stay' : value }));
  }
  form.append(make('button', { textContent: 'Look at the clip again' }));
  return form;
}

const runOf = (url) => new URL(url, location).pathname.match(/^\/runs\/(run_[^/]+)/)?.[1];
// One who is in another run may take it for that.
const where = (entry) => ([undefined, runOf(entry.url)].includes(runOf(location)) ? ' You said: ' : ' In another run you said: ');

export const told = (entry, forget) => [
  where(entry), said(entry), '. ', again(entry), ' ',
  // Its clip may be gone.
  make('button', { textContent: 'Forget it', onclick: () => forget(entry) }),
];
