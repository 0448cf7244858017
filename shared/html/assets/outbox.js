// What is not saved yet: kept in this browser until the service has it, and sent in order,
// again and again where the network fails. Nothing is lost by closing a window.

// This script is on every page, so what is of every page is in it.
import './once.js';
import './sound.js';

export function remembered(store, name, otherwise) {
  try {
    return JSON.parse(store.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(store, name, value) {
  try {
    store.setItem(name, JSON.stringify(value));
  } catch {
    // A full or forbidden store: what is there works on until the page is left.
  }
}

// Each under a name of its own: windows share the store.
const PREFIX = 'stt-outbox.';
const LONGEST_WAIT = 30000;
// What is saved at once is not told: a bar that flashes takes eyes off the text.
const SOON = 1000;
// How long one who signs out waits for what is not saved.
const PATIENCE = 3000;

const CHANGED = 'A clip was judged in another window meanwhile, and what you said here is not saved.';

let entries = Object.keys(localStorage)
  .filter((name) => name.startsWith(PREFIX))
  .sort()
  .map((name) => remembered(localStorage, name))
  .filter((entry) => entry?.url);
// What was done before a page asked for it.
const unsaid = [];
// What earlier windows have left: a clip of it may be shown here as if it was not judged.
const earlier = entries;
// All that this window has had, by their names in the store.
const known = new Map(entries.map((entry) => [PREFIX + entry.id, entry]));
let whenSaved = (...saved) => unsaid.push(saved);
let isStale, whenStale, signedOut, leaving;
// What is of somebody else waits for them, and is told apart.
const held = new Set();
// The one that is on its way, and when its answer, or none, is there.
let underWay, timer, telling, declined;
let answered = Promise.resolve();
let wait = 1000;

// What another window has saved, refused or taken back is that here too.
function all() {
  entries = entries.filter((entry) => {
    const stored = remembered(localStorage, PREFIX + entry.id);
    Object.assign(entry, stored);
    return stored || entry.isLoose;
  });
  return entries;
}
const waiting = () => all().filter((entry) => !entry.refused && !held.has(entry));
const verdictsOf = (some) => some.reduce((sum, entry) => sum + entry.verdicts, 0);
const draftsIn = (store) => Object.keys(store).filter((name) => name.startsWith('stt-draft'));
const by = (entry) => new URLSearchParams(entry.body).get('by');

const make = (tag, values) => Object.assign(document.createElement(tag), values);
const link = (textContent, href, target = '') => make('a', { textContent, href, target });

function tell() {
  const bar = document.querySelector('[data-unsaved]');
  const verdicts = verdictsOf(waiting());
  const others = entries.filter((entry) => held.has(entry));
  const refused = entries.find((entry) => entry.refused);
  bar.replaceChildren();
  // By the time in an entry's name.
  const late = waiting().some((entry) => Date.now() - Number.parseInt(entry.id, 10) >= SOON);
  bar.hidden = !refused && !others.length && !leaving && !(verdicts && (late || signedOut));
  clearTimeout(telling);
  if (verdicts && bar.hidden) telling = setTimeout(tell, SOON);
  if (bar.hidden) return;
  if (verdicts) bar.append(`${verdicts} not saved yet. `);
  if (verdicts && signedOut) {
    bar.append('You are signed out, and nothing is lost. ', link('Sign in', '/sign-in', '_blank'), ' ');
  }
  if (others.length) {
    const name = make('bdi', { textContent: by(others[0]) });
    bar.append(`${verdictsOf(others)} not saved yet: they are saved here when `, name, ' signs in with a key of that project. ');
  }
  if (leaving) {
    bar.append(`Signing out loses what is not saved. ${verdicts ? 'Wait, or press' : 'Press'} “Sign out” once more. `);
    // Typed references, by the addresses of their forms.
    for (const name of draftsIn(localStorage)) bar.append(link('A reference', name.split(',').at(-1)), ' ');
  }
  if (!refused) return;
  bar.append(refused.refused);
  if (declined) bar.append(...declined.told(refused, forget));
  // Few pages need it.
  else import('./declined.js').then((module) => { declined = module; tell(); }, () => {});
}

function keep(entry) {
  const name = PREFIX + entry.id;
  remember(localStorage, name, entry);
  entry.isLoose = !(name in localStorage);
  known.set(name, entry);
  tell();
}

export function forget(entry) {
  entries = entries.filter((one) => one !== entry);
  localStorage.removeItem(PREFIX + entry.id);
  tell();
}

// In all windows one at a time does something with an entry; without locks in this one.
export function alone(entry, work) {
  if (navigator.locks) return navigator.locks.request(PREFIX + entry.id, work);
  answered = answered.then(work, work);
  return answered;
}

function isSaved(entry) {
  if (entry.did) whenSaved(entry.did, entry.url);
  isStale ||= earlier.includes(entry) && new URL(entry.url, location).pathname === location.pathname;
}

addEventListener('storage', ({ key, newValue }) => {
  const entry = known.get(key);
  if (key && !entry) return;
  // Another window has saved it: it can be taken back here too.
  if (newValue && 'did' in Object.assign(entry, JSON.parse(newValue))) isSaved(entry);
  tell();
  tellStale();
});

async function send(entry) {
  const answer = await fetch(entry.url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: entry.body,
    // What is longer can't be sent by a page that is left.
    keepalive: entry.body.length < 60000,
  });
  signedOut = answer.redirected && new URL(answer.url).pathname === '/sign-in';
  const isOurs = answer.headers.get('content-type')?.startsWith('application/json');
  if (isOurs && answer.ok) {
    // Windows that have it too are told what it did before it is gone.
    keep(Object.assign(entry, await answer.json()));
    entries.filter((one) => one.refused && one.url === entry.url && by(one) === by(entry)).forEach(forget);
    forget(entry);
    wait = 1000;
    isSaved(entry);
  } else if (signedOut || answer.ok || answer.status === 429 || answer.status >= 500) {
    throw new Error('later');
  } else {
    const { error, waits } = isOurs ? await answer.json() : {};
    if (waits) {
      // Somebody else is signed in here by now.
      held.add(entry);
      tell();
      return;
    }
    // For good: it is kept and told, and forgotten once the clip is judged anew.
    const why = error ? `: ${error}` : '';
    entry.refused = answer.status === 412 ? CHANGED : `What you said of a clip was refused, and is not saved${why}.`;
    keep(entry);
  }
}

// Once nothing is on its way any more: a page that is loaded again asks whether to be left.
function tellStale() {
  if (!isStale || !whenStale || !isEmpty()) return;
  isStale = false;
  whenStale();
}

async function pump(event) {
  clearTimeout(timer);
  if (underWay) return;
  try {
    for (let next = waiting()[0]; next; next = waiting()[0]) {
      underWay = next;
      const work = async () => waiting().includes(next) && send(next);
      // A page that is being left is given nothing any more.
      answered = event?.type === 'pagehide' ? work() : alone(next, work);
      await answered;
    }
  } catch {
    timer = setTimeout(pump, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  } finally {
    underWay = undefined;
    tell();
    tellStale();
  }
}

// Sends what a form says; `verdicts` is how many transcriptions it is about. What was begun
// before a clip was judged elsewhere is told, and not sent.
export function add(url, page, body, verdicts, isLate) {
  const entry = { id: `${Date.now()}.${Math.random()}`, url, page, body, verdicts, refused: isLate && CHANGED };
  entries = [...entries, entry];
  leaving = false;
  keep(entry);
  pump();
}

// What was added last of what is sent to addresses with this in them.
export const last = (within = '') => waiting().filter((entry) => entry.url.includes(within)).at(-1);
export const isKept = (entry) => all().includes(entry);
export const isEmpty = (within) => !last(within);

// Waits a while for what can be saved now.
export async function settled() {
  const end = Date.now() + PATIENCE;
  while (!isEmpty() && Date.now() < end) {
    const pause = new Promise((done) => setTimeout(done, PATIENCE / 6));
    if (!underWay) pump();
    await Promise.race([answered.catch(() => pause), pause]);
  }
}

// What is not saved would be gone with the session: it is sent first, and told, as is what was
// begun on pages of this window.
async function leave(event) {
  const form = event.target;
  // What a browser keeps is cleared then: keys and the like go on to the next sign-in.
  form.action = `/sign-out#${encodeURIComponent(localStorage['stt-review'])}`;
  const drafts = draftsIn({ ...sessionStorage, ...localStorage }).length;
  if (leaving || !(entries.length + drafts)) return;
  event.preventDefault();
  await settled();
  if (!(entries.length + drafts)) {
    form.requestSubmit(event.submitter);
    return;
  }
  leaving = true;
  tell();
}

// `saved` is told what was done, also before this page asked; `shown` is told that a clip was
// judged which is shown as it was before.
export function open(saved, shown) {
  whenSaved = saved;
  whenStale = shown;
  tellStale();
  unsaid.splice(0).forEach((one) => saved(...one));
  addEventListener('beforeunload', (event) => {
    if (!isEmpty()) event.preventDefault();
  });
}

// On every page: what a review has left is saved wherever its reviewer is.
addEventListener('online', pump);
addEventListener('pagehide', pump);
document.querySelector('form.visitor').addEventListener('submit', leave);
tell();
pump();
// That a session ends by itself is told a while before.
const ends = document.querySelector('[data-ends]');
const end = Date.now() + Number(ends.dataset.ends);
setInterval(() => { ends.hidden = Date.now() < end; }, SOON);
// For one that has ended by itself.
remember(localStorage, 'stt-name', document.querySelector('.visitor bdi').textContent);
