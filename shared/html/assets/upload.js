// Sends recordings straight to where they are kept, some at once, and remembers in this
// window what has arrived, and what has not: after a reload nothing is sent twice, and
// nothing is missing unseen. Another window has a list of its own. Without it a form sends
// them one by one.

import { remember, remembered } from './outbox.js';

const TYPES = {
  wav: 'audio/wav', mp3: 'audio/mpeg', flac: 'audio/flac', m4a: 'audio/mp4', mp4: 'audio/mp4',
  ogg: 'audio/ogg', oga: 'audio/ogg', opus: 'audio/ogg', webm: 'audio/webm',
};
const OF_FIELD = { filename: 'Its name ', size_bytes: 'Its size ', content_type: 'Its kind ' };
const TABLES = { csv: 'text/csv', txt: 'text/csv', tsv: 'text/tab-separated-values', json: 'application/jsonl', jsonl: 'application/jsonl' };
const AT_ONCE = 4;
// Addresses are good for 15 minutes: few are asked for ahead.
const PER_REQUEST = 20;
const MOST_NAME = 255;
// A larger table goes where recordings go; a form takes 4 MiB in all.
const LARGE_TABLE = 3000000;
const REMEMBERED_FOR = 24 * 3600 * 1000;
// Set by browsers themselves.
const OWN_HEADERS = ['content-length', 'host'];

const store = (project) => `stt-uploads.${project}`;
const tableStore = (project) => `stt-table.${project}`;
const extension = (name) => name.toLowerCase().split('.').pop();

const saved = document.querySelector('[data-saved]');
if (saved) {
  for (const of of [store, tableStore]) sessionStorage.removeItem(of(saved.dataset.saved));
  // Once: one who comes back here may have begun the next.
  history.replaceState(null, '', location.pathname);
}

const place = document.querySelector('[data-upload]');
if (place) begin();

function begin() {
  const chooser = place.querySelector('[data-recordings]');
  const dataset = document.querySelector('[data-dataset]');
  const list = place.querySelector('[data-uploads]');
  const told = place.querySelector('[data-told]');
  const table = dataset.elements.table;
  const name = store(place.dataset.project);
  const tableName = tableStore(place.dataset.project);
  const lost = document.querySelector('[data-lost]');
  const items = [];
  let sending = 0;
  let asking = Promise.resolve();
  // What was chosen and can't be taken, told until the page is left.
  const odd = new Set();

  const key = (item) => `${item.name}\n${item.size}\n${item.lastModified}`;
  const of = (state) => items.filter((item) => item.state === state);

  function tell(text) {
    const done = of('done').length;
    const failed = of('failed').length;
    const parts = [];
    if (items.length) parts.push(`${done} of ${items.length} uploaded${failed ? `, ${failed} failed` : ''}.`);
    if (odd.size) parts.push(`Not taken: ${[...odd].slice(0, 5).join(', ')}${odd.size > 5 ? ` and ${odd.size - 5} more` : ''}. Recordings may be WAV, FLAC, MP3, M4A, OGG, Opus or WebM: convert others to WAV or FLAC.`);
    if (text) parts.push(text);
    told.textContent = parts.join(' ');
  }

  function keep() {
    const files = of('done').map((item) => item.id.replace('file_', '')).join('.');
    for (const form of [chooser, dataset]) form.elements.files.value = files;
    remember(sessionStorage, name, items.map(({ name, size, lastModified, id, at, state, isFinal, reason }) => ({
      name, size, lastModified, at, ...(state === 'done' ? { id } : isFinal ? { isFinal, reason } : {}),
    })));
  }

  // A file that was chosen is chosen again after a reload: no page may do that.
  function keepTable() {
    const file = table.files[0];
    lost.hidden = Boolean(file) || lost.hidden;
    remember(sessionStorage, tableName, file ? { name: file.name, at: Date.now() } : {});
  }

  function button(item, text, act) {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = text;
    made.setAttribute('aria-describedby', item.label.id);
    made.addEventListener('click', act);
    return made;
  }

  function show(item) {
    const { row, state } = item;
    row.replaceChildren(item.label, ' ');
    if (state === 'waiting' || state === 'sending') row.append(item.bar);
    const said = document.createElement('span');
    said.className = state === 'failed' ? 'error' : 'hint';
    said.textContent = { waiting: 'Waiting', sending: 'Under way', done: 'Uploaded', failed: item.reason }[state];
    row.append(said, ' ');
    if (state === 'failed' && item.file && !item.isFinal) {
      row.append(button(item, 'Retry', () => {
        item.state = 'waiting';
        show(item);
        pump();
        list.querySelector(`#${item.label.id}`)?.closest('li').focus();
      }), ' ');
    }
    if (state === 'done' || state === 'failed') {
      row.append(button(item, 'Remove', () => {
        items.splice(items.indexOf(item), 1);
        row.remove();
        keep();
        tell();
        chooser.elements.file.focus();
      }));
    }
  }

  function add(item) {
    items.push(item);
    item.row = document.createElement('li');
    item.row.tabIndex = -1;
    item.label = document.createElement('bdi');
    item.label.id = `upload-${items.length}-${Date.now()}`;
    item.label.textContent = item.name;
    item.bar = document.createElement('progress');
    item.bar.max = 1;
    item.bar.value = 0;
    item.bar.setAttribute('aria-labelledby', item.label.id);
    list.append(item.row);
    show(item);
  }

  function take(files) {
    for (const { file, path } of files) {
      const own = path.split('/').pop();
      const type = TYPES[extension(own)];
      if (own.startsWith('.') || path.includes('__MACOSX/')) continue;
      if (TABLES[extension(own)]) {
        const transfer = new DataTransfer();
        transfer.items.add(file);
        table.files = transfer.files;
        keepTable();
      } else if (type) {
        const item = {
          name: [...path].length > MOST_NAME ? own : path,
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
    const answer = await fetch('/uploads', {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({
        files: batch.map(({ name, type, size }) => ({ filename: name, content_type: type, size_bytes: size })),
      }),
    });
    if (answer.redirected) throw new Error('You are signed out. Sign in in another window, and retry.');
    const isJson = answer.headers.get('content-type')?.startsWith('application/json');
    if (!answer.ok || !isJson) {
      // One that is refused must not keep the others back.
      if (answer.status === 422 && batch.length > 1) return ask(batch.slice(0, 1));
      const reason = isJson ? (await answer.json()).error : 'The service does not answer as it should.';
      const error = new Error(reason.replace(/^files\[\d+\]\.(\w+): /, (_, field) => OF_FIELD[field] ?? ''));
      // What it is called, or how large it is, does not change by being sent again.
      error.isFinal = answer.status === 422;
      throw error;
    }
    const { files } = await answer.json();
    files.forEach((made, at) => Object.assign(batch[at], { id: made.file.id, upload: made.upload }));
    return undefined;
  }

  const isGood = ({ upload }) => upload && Date.parse(upload.expires_at) > Date.now() + 60000;

  function address(item) {
    const asked = asking.then(() => {
      if (isGood(item)) return undefined;
      const next = of('waiting').filter((one) => !isGood(one));
      return ask([item, ...next].slice(0, PER_REQUEST));
    });
    asking = asked.catch(() => {});
    return asked;
  }

  function put(item) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(item.upload.method, item.upload.url);
      for (const [header, value] of Object.entries(item.upload.headers)) {
        if (!OWN_HEADERS.includes(header.toLowerCase())) request.setRequestHeader(header, value);
      }
      request.upload.addEventListener('progress', (event) => {
        if (event.lengthComputable && event.total) item.bar.value = event.loaded / event.total;
      });
      request.addEventListener('load', () => {
        // 412: it is there already, and the answer to that was lost.
        if (request.status < 300 || request.status === 412) resolve();
        else reject(new Error(`It was not taken (${request.status}).`));
      });
      request.addEventListener('error', () => reject(new Error('The connection broke off.')));
      request.send(item.file);
    });
  }

  async function send(item) {
    try {
      await address(item);
      await put(item);
      Object.assign(item, { state: 'done', at: Date.now() });
      delete item.upload;
    } catch (error) {
      Object.assign(item, { state: 'failed', isFinal: error.isFinal, reason: error instanceof TypeError ? 'The connection broke off.' : error.message });
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

  const chosen = chooser.elements.file;
  chosen.multiple = true;
  chosen.required = false;
  chosen.accept = '';
  chosen.addEventListener('change', () => {
    take([...chosen.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    chosen.value = '';
  });
  chooser.addEventListener('submit', (event) => event.preventDefault());

  const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  const opened = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

  async function within(entry, path) {
    if (entry.isFile) return [{ file: await opened(entry), path: path + entry.name }];
    const found = [];
    const reader = entry.createReader();
    for (let some = await read(reader); some.length; some = await read(reader)) {
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

  async function sendTable(file) {
    const item = { name: file.name, size: file.size, type: TABLES[extension(file.name)] ?? 'text/csv', file, bar: {} };
    await ask([item]);
    await put(item);
    dataset.elements.kept.value = item.id;
    // It was chosen of the table before.
    dataset.elements.split?.remove();
    table.value = '';
  }

  dataset.addEventListener('submit', async (event) => {
    const problem = of('waiting').length || of('sending').length
      ? 'Wait until all recordings are uploaded.'
      : of('failed').some(({ file }) => !file) ? 'Choose the recordings that failed again, or remove them.'
        : of('failed').length ? 'Retry the recordings that failed, or remove them.' : '';
    const file = table.files[0];
    if (problem || file?.size > LARGE_TABLE) event.preventDefault();
    if (problem) {
      tell(problem);
      told.scrollIntoView({ block: 'center' });
    } else if (file?.size > LARGE_TABLE) {
      try {
        tell('The table is being uploaded.');
        await sendTable(file);
        dataset.submit();
      } catch (error) {
        tell(`The table was not uploaded. ${error.message}`);
      }
    }
  });

  addEventListener('beforeunload', (event) => {
    if (of('sending').length || of('waiting').length) event.preventDefault();
  });

  // ---- what an earlier page has sent ----

  const there = [...list.querySelectorAll('li')].map((row) => ({ id: row.dataset.id, name: row.querySelector('bdi').textContent }));
  list.replaceChildren();
  const before = remembered(sessionStorage, name, []).filter((one) => one.at > Date.now() - REMEMBERED_FOR);
  const again = 'It was not uploaded: choose it again.';
  for (const one of before) add(one.id ? { ...one, state: 'done' } : { reason: again, ...one, state: 'failed' });
  for (const one of there.filter(({ id }) => !before.some((other) => other.id === id))) {
    add({ ...one, state: 'done', at: Date.now() });
  }
  keep();
  tell();
  const chosenBefore = remembered(sessionStorage, tableName, {});
  const isKept = table.files.length || dataset.elements.kept.value || table.ariaInvalid;
  if (!isKept && chosenBefore.at > Date.now() - REMEMBERED_FOR) {
    lost.querySelector('bdi').textContent = chosenBefore.name;
    lost.hidden = false;
  }
  table.addEventListener('change', keepTable);
}
