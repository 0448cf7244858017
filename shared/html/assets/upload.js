// Sends recordings straight to where they are kept, some at once, and remembers in this
// window what has arrived, and what has not: after a reload nothing is sent twice, and
// nothing is missing unseen. Another window has a list of its own. Without it a form sends
// them one by one.

import * as kept from './kept.js';
import * as labels from './visible.js';
import * as direct from './table.js';
import { remember, remembered } from './outbox.js';

const TYPES = {
  wav: 'audio/wav', mp3: 'audio/mpeg', flac: 'audio/flac', m4a: 'audio/mp4', mp4: 'audio/mp4',
  ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', webm: 'audio/webm',
};
// Spreadsheets, and archives that hold them.
const WORKBOOK = /\.(xlsx|xls|ods|zip)$/i;
const AT_ONCE = 4;

const place = document.querySelector('[data-upload]');
begin();

function begin() {
  const dataset = document.querySelector('[data-dataset]');
  const list = place.querySelector('[data-uploads]');
  const told = place.querySelector('[data-told]');
  const { table, file: chosen, clear } = dataset.elements;
  const name = kept.uploads(place.dataset.project);
  const tableName = kept.table(place.dataset.project);
  const lost = document.querySelector('[data-lost]');
  const items = [];
  let sending = 0;
  let sendsTable;
  let asking = Promise.resolve();
  // What was chosen and can't be taken, told until the page is left.
  const odd = new Set();

  // A day.
  const isRecent = ({ at }) => at > Date.now() - 864e5;
  const key = (item) => `${item.name}\n${item.size}\n${item.lastModified}`;
  const of = (state) => items.filter((item) => item.state === state);
  const isBusy = () => of('waiting').length || of('sending').length;
  const make = (tag, values) => Object.assign(document.createElement(tag), values);

  function tell(text) {
    const done = of('done').length;
    const failed = of('failed').length;
    const parts = [];
    if (items.length) parts.push(`${done} of ${items.length} uploaded${failed ? `, ${failed} failed` : ''}.`);
    for (const [isBook, advice] of [
      [true, 'It is a workbook or an archive: save its sheet as CSV (UTF-8), and choose that.'],
      [false, 'Recordings may be WAV, FLAC, MP3, M4A, OGG, Opus or WebM: convert others to WAV or FLAC.'],
    ]) {
      const names = [...odd].filter((name) => WORKBOOK.test(name) === isBook);
      const more = names.splice(5).length;
      if (names.length) parts.push(`Not taken: ${labels.visible(names.join(', '))}${more ? ` and ${more} more` : ''}. ${advice}`);
    }
    if (text) parts.push(text);
    told.textContent = parts.join(' ');
    clear.disabled = failed < 2;
  }

  function keep() {
    const files = of('done').map((item) => item.id.replace('file_', '')).join('.');
    dataset.elements.files.value = files;
    remember(sessionStorage, name, items.map(({ name, size, lastModified, id, at, state, isFinal, reason }) => ({
      name, size, lastModified, at, ...(state === 'done' ? { id } : isFinal ? { isFinal, reason } : {}),
    })));
  }

  // A file that was chosen is chosen again after a reload: no page may do that.
  function keepTable() {
    const file = table.files[0];
    if (file) lost.hidden = true;
    remember(sessionStorage, tableName, file ? { name: file.name, at: Date.now() } : {});
  }

  function button(item, textContent, onclick) {
    const made = make('button', { type: 'button', textContent, onclick });
    made.setAttribute('aria-describedby', item.label.id);
    return made;
  }

  function remove(some) {
    for (const item of some) {
      items.splice(items.indexOf(item), 1);
      item.row.remove();
    }
    keep();
    tell();
    chosen.focus();
  }

  clear.onclick = () => remove(of('failed'));

  function show(item) {
    const { row, state } = item;
    row.replaceChildren(item.label, ' ');
    if (state === 'waiting' || state === 'sending') row.append(item.bar);
    row.append(make('span', {
      className: state === 'failed' ? 'error' : 'hint',
      textContent: { waiting: 'Waiting', sending: 'Under way', done: 'Uploaded', failed: item.reason }[state],
    }), ' ');
    // What is to be done stands first, but for what one is at.
    if (state === 'failed' && !row.matches(':focus')) list.prepend(row);
    if (state === 'failed' && item.file && !item.isFinal) {
      row.append(button(item, 'Retry', () => {
        item.state = 'waiting';
        show(item);
        pump();
        row.focus();
      }), ' ');
    }
    if (state === 'done' || state === 'failed') {
      row.append(button(item, 'Remove', () => remove([item])));
    }
  }

  function add(item) {
    items.push(item);
    item.row = make('li', { tabIndex: -1 });
    item.label = make('bdi', { id: `upload-${items.length}-${Date.now()}`, textContent: labels.visible(item.name) });
    item.bar = make('progress', { max: 1, value: 0 });
    item.bar.setAttribute('aria-labelledby', item.label.id);
    list.append(item.row);
    show(item);
  }

  function take(files) {
    for (const { file, path } of files) {
      const own = path.split('/').pop();
      const type = TYPES[direct.extension(own)];
      if (own.startsWith('.') || path.includes('__MACOSX/')) continue;
      if (direct.isTable(own)) {
        const transfer = new DataTransfer();
        transfer.items.add(file);
        table.files = transfer.files;
        keepTable();
      } else if (type) {
        const item = {
          // Longer names are not taken.
          name: [...path].length > 255 ? own : path,
          size: file.size, lastModified: file.lastModified, file, type, state: 'waiting', at: Date.now(),
        };
        const missed = items.find((one) => one.state === 'failed' && !one.file && one.name === item.name);
        // What has arrived, or is on its way, is not sent again.
        const known = items.find((one) => key(one) === key(item));
        if (missed) show(Object.assign(missed, item, { isFinal: false }));
        else if (!known) add(item);
      } else {
        odd.add(own);
      }
    }
    keep();
    tell();
    pump();
  }

  async function ask(batch) {
    try {
      const files = await direct.announce(batch);
      files.forEach((made, at) => Object.assign(batch[at], { id: made.file.id, upload: made.upload }));
      return undefined;
    } catch (error) {
      // One that is refused must not keep the others back.
      if (error.isFinal && batch.length > 1) return ask(batch.slice(0, 1));
      throw error;
    }
  }

  const isGood = ({ upload }) => upload && Date.parse(upload.expires_at) > Date.now() + 60000;

  function address(item) {
    const asked = asking.then(() => {
      if (isGood(item)) return undefined;
      const next = of('waiting').filter((one) => !isGood(one));
      // Addresses are good for 15 minutes: few are asked for ahead.
      return ask([item, ...next].slice(0, 20));
    });
    asking = asked.catch(() => {});
    return asked;
  }

  async function send(item) {
    try {
      await address(item);
      await direct.put(item.upload, item.file, (part) => { item.bar.value = part; });
      Object.assign(item, { state: 'done', at: Date.now() });
      delete item.upload;
    } catch (error) {
      Object.assign(item, { state: 'failed', isFinal: error.isFinal, reason: direct.why(error) });
    }
    keep();
    show(item);
  }

  function pump() {
    for (const item of of('waiting')) {
      if (sending >= AT_ONCE) break;
      sending += 1;
      item.state = 'sending';
      show(item);
      send(item).finally(() => {
        sending -= 1;
        pump();
      });
    }
    tell();
  }

  // ---- what is chosen and dropped ----

  chosen.multiple = true;
  chosen.accept = '';
  chosen.addEventListener('change', () => {
    take([...chosen.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    chosen.value = '';
  });

  const answer = (of, name) => new Promise((resolve, reject) => of[name](resolve, reject));

  async function within(entry, path) {
    if (entry.isFile) return [{ file: await answer(entry, 'file'), path: path + entry.name }];
    const found = [];
    const reader = entry.createReader();
    for (let some; (some = await answer(reader, 'readEntries')).length;) {
      for (const one of some) found.push(...await within(one, `${path}${entry.name}/`));
    }
    return found;
  }

  async function dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) {
      return [...transfer.files].map((file) => ({ file, path: file.name }));
    }
    return (await Promise.all(entries.map((entry) => within(entry, '')))).flat();
  }

  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    place.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) place.classList.remove('over');
  });
  document.addEventListener('drop', async (event) => {
    event.preventDefault();
    place.classList.remove('over');
    try {
      take(await dropped(event.dataTransfer));
    } catch {
      tell('What was dropped can’t be read: choose the files instead.');
    }
  });

  // ---- what is sent with the table ----

  dataset.addEventListener('submit', async (event) => {
    const problem = isBusy()
      ? 'Wait until all recordings are uploaded.'
      : of('failed').some(({ file }) => !file) ? 'Choose the recordings that failed again, or remove them.'
        : of('failed').length ? 'Retry the recordings that failed, or remove them.' : '';
    const file = table.files[0];
    if (problem || direct.isLarge(file)) event.preventDefault();
    if (problem) {
      tell(problem);
      told.scrollIntoView({ block: 'center' });
    } else if (direct.isLarge(file) && !sendsTable) {
      sendsTable = true;
      try {
        tell('The table is being uploaded.');
        dataset.elements.kept.value = await direct.sendTable(file, () => {});
        // It was chosen of the table before.
        dataset.elements.split?.remove();
        table.value = '';
      } catch (error) {
        tell(`The table was not uploaded. ${direct.why(error)}`);
      } finally {
        sendsTable = false;
      }
      if (!table.value) dataset.requestSubmit(event.submitter);
    }
  });

  addEventListener('beforeunload', (event) => {
    if (isBusy()) event.preventDefault();
  });

  // ---- what an earlier page has sent ----

  const there = [...list.children].map((row) => ({ id: row.dataset.id, name: row.querySelector('bdi').textContent }));
  list.replaceChildren();
  const before = remembered(sessionStorage, name, []).filter(isRecent);
  for (const one of before) {
    add(one.id ? { ...one, state: 'done' } : { reason: 'It was not uploaded: choose it again.', ...one, state: 'failed' });
  }
  for (const one of there.filter(({ id }) => !before.some((other) => other.id === id))) {
    add({ ...one, state: 'done', at: Date.now() });
  }
  keep();
  tell();
  const chosenBefore = remembered(sessionStorage, tableName, {});
  const isKept = table.files.length || dataset.elements.kept.value || table.ariaInvalid;
  if (!isKept && isRecent(chosenBefore)) {
    lost.querySelector('bdi').textContent = labels.visible(chosenBefore.name);
    lost.hidden = false;
  }
  table.addEventListener('change', keepTable);
}
