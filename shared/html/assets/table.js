// Sends files straight to where they are kept, by addresses that the service signs for them, and
// of forms that transcripts are added by a table that is too large for one.

const TABLES = { csv: 'text/csv', txt: 'text/csv', tsv: 'text/tab-separated-values', json: 'application/jsonl', jsonl: 'application/jsonl' };
const OF_FIELD = { filename: 'Its name ', size_bytes: 'Its size ', content_type: 'Its kind ' };
// A form takes 4 MiB in all.
const LARGE = 3000000;
// Set by browsers themselves.
const OWN_HEADERS = ['content-length', 'host'];

export const extension = (name) => name.toLowerCase().split('.').pop();
export const isTable = (name) => extension(name) in TABLES;
export const isLarge = (table) => table?.size > LARGE;

// Asks for addresses of files, each with its name, type and size.
export async function announce(files) {
  const answer = await fetch('/uploads', {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({
      files: files.map(({ name, type, size }) => ({ filename: name, content_type: type, size_bytes: size })),
    }),
  });
  if (answer.redirected) throw new Error('You are signed out. Sign in in another window, and retry.');
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  if (answer.ok && isJson) return (await answer.json()).files;
  const reason = isJson ? (await answer.json()).error : 'The service does not answer as it should.';
  const error = new Error(reason.replace(/^files\[\d+\]\.(\w+): /, (_, field) => OF_FIELD[field] ?? ''));
  // What it is called, or how large it is, does not change by being sent again.
  error.isFinal = answer.status === 422;
  throw error;
}

export function put(upload, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(upload.method, upload.url);
    for (const [header, value] of Object.entries(upload.headers)) {
      if (!OWN_HEADERS.includes(header.toLowerCase())) request.setRequestHeader(header, value);
    }
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable && event.total) progress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      // 412: it is there already, and the answer to that was lost.
      if (request.status < 300 || request.status === 412) resolve();
      else reject(new Error(`It was not taken (${request.status}).`));
    });
    request.addEventListener('error', () => reject(new Error('The connection broke off.')));
    request.send(file);
  });
}

export const why = (error) => (error instanceof TypeError ? 'The connection broke off.' : error.message);

// Sends a table; its id.
export async function sendTable(file, progress) {
  const type = TABLES[extension(file.name)] ?? 'text/csv';
  const [made] = await announce([{ name: file.name, type, size: file.size }]);
  await put(made.upload, file, progress);
  return made.file.id;
}

// The form then names its table. That of a dataset waits for recordings as well.
document.addEventListener('submit', async (event) => {
  const form = event.target;
  // Its fields are properties of a form, whatever they are called.
  if (form.matches('[data-dataset]')) return;
  const chosen = form.elements.table;
  const file = chosen?.files?.[0];
  if (!isLarge(file)) return;
  event.preventDefault();
  const told = form.querySelector('[data-sending]');
  const buttons = [...form.querySelectorAll('button')];
  const pressed = event.submitter;
  const tell = (text) => { told.textContent = text; };
  const share = (part) => tell(`The table is being uploaded: ${Math.round(part * 100)} %.`);
  for (const button of buttons) button.disabled = true;
  share(0);
  try {
    const id = await sendTable(file, share);
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
    tell(`The table was not uploaded. ${why(error)}`);
    told.scrollIntoView({ block: 'center' });
  }
  for (const button of buttons) button.disabled = false;
  if (!chosen.value) form.requestSubmit(pressed);
});
