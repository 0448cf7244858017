// Makes judging quick: keys, one clip after the other without waiting, and nothing lost
// where the network is. Without it the same forms are sent by the browser.

import * as chords from './chords.js';
import * as fragment from './fragment.js';
import * as keys from './keys.js';
import * as listening from './listening.js';
import * as player from './player.js';
// It is on every page.
import { add, alone, forget, isEmpty, isKept, last, open, remember, remembered, settled } from './outbox.js';

const AHEAD = 3;
const MOST_DONE = 20;
const LONGEST_SPAN = 8;

// ---- what is remembered ----

const settings = {};

const runOf = (url) => new URL(url, location).pathname.split('/')[2];
const run = runOf(location);
// In addresses of what is said of its clips.
const within = `/runs/${run}/`;
const doneName = `stt-did-${run}`;
let done = remembered(sessionStorage, doneName, []);

// ---- the clip that is shown ----

let form, audio, current, explained, begun;

// As they are by now: what another window has changed stays changed.
function obey(changes) {
  const stored = remembered(localStorage, 'stt-review', settings);
  Object.assign(settings, { keys: true, guard: true, rate: 1, map: undefined, ...stored, ...changes });
  if (!form) return;
  label();
  if (settings.invisible) showJoiners();
}

function change(changes) {
  obey(changes);
  remember(localStorage, 'stt-review', settings);
}

const $ = (name) => form.querySelector(`[data-do="${name}"]`);
const slots = () => [...form.querySelectorAll('[data-slot]')];
const of = (slot, name) => form.elements[`${slot.dataset.slot}.${name}`];
const verdict = (slot) => of(slot, 'verdict').value;

function tell(text) {
  form.querySelector('[data-told]').textContent = text;
}

// Keys of verdicts are of the current one. Those of reasons and comments are too, but behind
// “Wrong”: then they are of the one that is wrong.
function makeCurrent(slot, why = slot) {
  if (!slot) return;
  [current, explained] = [slot, why];
  for (const other of slots()) {
    other.classList.toggle('current', other === slot);
    other.classList.toggle('why', other === why);
  }
}

function show(slot, value) {
  of(slot, 'verdict').value = value;
  for (const button of slot.querySelectorAll('.verdicts button')) {
    button.setAttribute('aria-pressed', String(button.value === value));
  }
  tellCount(slot);
}

// What is wrong for its spelling alone counts as right.
function tellCount(slot) {
  const set = [...slot.querySelectorAll(':checked'), ...form.querySelectorAll('fieldset :checked')];
  const line = slot.querySelector('[data-counts]');
  const counts = verdict(slot) === 'wrong' && set.length === 1 && set[0].name.endsWith('.spelling_variant');
  if (counts && line.hidden) tell(line.textContent);
  line.hidden = !counts;
}

function refuses(value) {
  if (!settings.guard || begun.judged || value === 'cannot_tell') return '';
  return listening.refuses(value, begun.broken);
}

function judge(slot, value) {
  const reason = refuses(value);
  makeCurrent(slot);
  tell(reason);
  if (reason) return;
  show(slot, value);
  if (value === 'right') takeOff(slot);
  const all = slots();
  const at = all.indexOf(slot);
  const open = [...all.slice(at + 1), ...all.slice(0, at)].find((other) => !verdict(other));
  makeCurrent(open ?? slot, value === 'wrong' ? slot : undefined);
}

// Reasons that do not go with “Right”: only the spelling may differ.
function takeOff(slot) {
  const set = [...slot.querySelectorAll(':checked'), form.elements.audio_unusable].filter((box) => box.checked);
  const boxes = set.filter((box) => !box.name.endsWith('.spelling_variant'));
  if (!boxes.length) return;
  for (const box of boxes) box.checked = false;
  if (boxes.includes(form.elements.audio_unusable)) hasUnusable();
  tell(`Taken off, since it does not go with “Right”: ${boxes.map((box) => box.parentNode.textContent.trim()).join(', ')}.`);
}

// Where keys are free for what they mean here.
function focusClip() {
  const heading = document.querySelector('main h1');
  // Whether a focus is seen is decided when it comes: by a key it is.
  heading.blur();
  heading.focus({ preventScroll: true });
}

// The transcription that keys of verdicts are of is brought into sight, but for one who points.
function focusCurrent(isPointed) {
  current.blur();
  current.focus({ preventScroll: true });
  if (isPointed) return;
  // One that is higher than the room beside the player shows where it begins.
  const height = current.offsetHeight + document.querySelector('.player').offsetHeight;
  current.scrollIntoView({ block: height > innerHeight ? 'start' : 'nearest' });
}

function toggleReason(number) {
  const box = explained?.querySelectorAll('.boxes input')[number - 1];
  if (!box) return;
  explained.querySelector('details').open = true;
  box.checked = !box.checked;
  box.dispatchEvent(new Event('change', { bubbles: true }));
}

// A reason says that it is wrong, but for a spelling that is accepted too.
function reasonChanged(event) {
  if (event.target.name === 'audio_unusable') hasUnusable();
  const slot = event.target.closest('[data-slot]');
  if (!slot || event.target.type !== 'checkbox') return;
  if (slot !== explained) makeCurrent(slot);
  const implies = event.target.checked && !event.target.name.endsWith('.spelling_variant');
  const said = verdict(slot);
  if (!implies || (said && said !== 'right')) return;
  const refused = !said && refuses('wrong');
  if (!refused) show(slot, 'wrong');
  tell(refused || (said && '“Right” is now “Wrong”.'));
}

function unusable() {
  const box = form.elements.audio_unusable;
  box.checked = !box.checked;
  hasUnusable();
}

// What can't be understood can't be judged, and is not right; what it was before comes back.
function hasUnusable() {
  const { checked } = form.elements.audio_unusable;
  for (const slot of slots()) {
    const said = verdict(slot);
    if (!checked && said === 'cannot_tell') show(slot, slot.dataset.was ?? '');
    slot.dataset.was = checked ? said : '';
    if (!checked || !['', 'right'].includes(said)) continue;
    show(slot, 'cannot_tell');
    if (said) tell('“Right” is now “Cannot tell”.');
  }
  slots().forEach(tellCount);
}

// ---- what is said and not saved ----

const isWord = (name) => /^[A-Z]\.(?!seen)|_(wrong|unusable)$/.test(name);
// One draft for each clip and person, of the letters that stand there.
const draftName = () => ['stt-draft', form.action, ...['by', 'project', 'slots'].map((name) => form.elements[name].value)].join();
const parts = (text, wanted) => [...new URLSearchParams(text)].filter(([name]) => wanted(name)).join();
const isSeen = (name) => name.endsWith('.seen');

// A page may be left at any time: what was chosen and typed is there when one comes back.
function keepDraft() {
  if (!form?.isConnected) return;
  const said = body('stay');
  if (parts(said, isWord) === begun.said) sessionStorage.removeItem(draftName());
  else remember(sessionStorage, draftName(), { said, heard: listening.kept() });
}

// One that was begun before the clip was judged elsewhere is told with what is refused.
function takeDraft() {
  const now = body('stay');
  begun.said = parts(now, isWord);
  const { said, heard } = remembered(sessionStorage, draftName(), {});
  if (!said) return;
  if (parts(said, isSeen) !== parts(now, isSeen)) {
    sessionStorage.removeItem(draftName());
    add(form.action, location.href, said, 0, true);
    return;
  }
  const fields = new URLSearchParams(said);
  for (const field of form.elements) {
    if (field.type === 'checkbox') field.checked = fields.has(field.name);
    else if (isWord(field.name) && fields.has(field.name)) field.value = fields.get(field.name);
  }
  for (const slot of slots()) {
    show(slot, verdict(slot));
    slot.querySelector('details').open ||= Boolean(of(slot, 'comment').value || slot.querySelector(':checked'));
  }
  listening.begin(audio, heard);
  begun.back = 'What you said before is back, and not saved yet. ';
  tell(begun.back);
}

// ---- sound ----

function playAt(rate) {
  audio.playbackRate = Math.min(2.5, Math.max(0.5, rate));
  // Loading anew goes back to this one.
  audio.defaultPlaybackRate = audio.playbackRate;
  begun.slowUntil = undefined;
  form.querySelector('[data-rate]').textContent = `${audio.playbackRate}×`;
}

// For the clips that come too.
function setRate(rate) {
  playAt(rate);
  change({ rate: audio.playbackRate });
}

function listens() {
  listening.heard();
  if (form && begun.slowUntil && (audio.ended || audio.currentTime >= begun.slowUntil)) playAt(settings.rate);
}

const PACES = [1, 1.25, 1.5, 2, 0.75];

function start() {
  // What failed before may be there by now.
  if (audio.error) {
    begun.again = false;
    listening.heard();
    audio.load();
  }
  audio.play().catch((error) => {
    if (error.name !== 'NotAllowedError') return;
    begun.asks = true;
    const what = settings.keys && matchMedia('(hover: hover)').matches ? 'Space' : 'Play';
    tell(`${begun.back ?? ''}Press ${what} to listen.`);
  });
}

// A kept address may have ended: it is asked for anew, once, and gone on from there.
function failed() {
  if (begun.again) return isBroken();
  begun.again = true;
  // A browser may have stopped it before it tells of the error.
  const { currentTime } = audio;
  const wasPlaying = begun.plays || !audio.paused;
  listening.heard();
  audio.load();
  if (currentTime > 0) audio.currentTime = currentTime;
  if (wasPlaying) start();
  return undefined;
}

// Another program may play what a browser can't.
function offerFile(isOffered) {
  form.querySelector('[data-file]').hidden = !isOffered;
}

async function isBroken() {
  begun.silent = true;
  const { src, error } = audio;
  const answer = await fetch(location.href).catch(() => undefined);
  const isThere = answer && error?.code !== MediaError.MEDIA_ERR_NETWORK && await arrives(src);
  // Another clip is here by now.
  if (audio.src !== src) return;
  if (!answer) {
    tell('No network: the recording can’t be loaded now. Press Play again when it is back; what you said is kept.');
    return;
  }
  const isSignedOut = answer.redirected && new URL(answer.url).pathname === '/sign-in';
  begun.broken = isSignedOut || isThere;
  offerFile(isThere && !isSignedOut);
  if (isSignedOut) tell('You are signed out: sign in in another window, and press Play again.');
  else if (isThere) tell('This recording can’t be played here. Say “Cannot tell”, or skip the clip.');
  else tell('The network withholds the recording: it can’t be loaded now. Press Play again, or skip the clip.');
  look();
}

// Whether the bytes of a recording come here at all; no leave to read them is asked for.
async function arrives(src) {
  const stop = new AbortController();
  try {
    const { status } = await fetch(src, { mode: 'no-cors', cache: 'no-store', signal: stop.signal });
    return status < 500;
  } catch {
    return false;
  } finally {
    stop.abort();
  }
}

// The network is back: what could not be loaded is loaded again.
function comesBack() {
  if (!form?.isConnected || !begun.silent || begun.broken) return;
  Object.assign(begun, { again: false, silent: false });
  tell('');
  failed();
}

function toggle() {
  if (audio.paused) start();
  else audio.pause();
}

// A word is played from where it was said, where the page knows; one who selects words
// selects them.
function seek(event) {
  const word = event.target.closest('[data-at]');
  if (!word || !getSelection().isCollapsed) return;
  begun.from = Number(word.dataset.at) / 1000;
  audio.currentTime = begun.from;
  start();
}

// From the word that was pressed last, while that is not long ago; slowly up to where one was.
function repeat(event) {
  const was = audio.currentTime;
  const since = was - begun.from;
  jump(since > 0 && since < LONGEST_SPAN ? -since : -3);
  const isSlow = event?.shiftKey;
  playAt(isSlow ? 0.75 : settings.rate);
  begun.slowUntil = isSlow && Math.max(was, audio.currentTime + 3);
  start();
}

function jump(seconds) {
  audio.currentTime = Math.max(0, audio.currentTime + seconds);
}

// ---- what can be undone ----

// In the list of the run that it was said of, whichever is shown by now.
function hasDone(did, url) {
  const name = `stt-did-${runOf(url)}`;
  const before = name === doneName ? done : remembered(sessionStorage, name, []);
  const all = [...before.filter((one) => one !== did), did].slice(-MOST_DONE);
  remember(sessionStorage, name, all);
  if (name !== doneName) return;
  done = all;
  if (form) $('undo').disabled = false;
}

function isUndone() {
  done.pop();
  remember(sessionStorage, doneName, done);
}

// ---- clips ahead ----

let ahead = [];
// Addresses of clips that were shown before.
const behindName = `stt-behind-${run}`;
let behind = remembered(sessionStorage, behindName, []);

function isBehind(urls) {
  behind = urls;
  remember(sessionStorage, behindName, behind);
}

let chain = 0;
let fetching;
let spare = newSpare();
// Pages as they came: what is taken back is shown without a network too.
const shown = new Map();

function newSpare() {
  const sound = document.createElement('audio');
  sound.preload = 'auto';
  return sound;
}

async function fetchPage(url) {
  const answer = await fetch(url, { headers: { accept: 'text/html' } });
  const page = answer.ok && await fragment.pageOf(answer);
  if (!page) throw new Error(`no page at ${url}`);
  return { url: answer.url, page };
}

const nextOf = (page) => page.querySelector('#review')?.dataset.next;
const soundOf = (page) => page.querySelector('#review audio')?.getAttribute('src');

// Sound first of the very next; the others are loaded when they are that.
function preload() {
  const sound = ahead.length && soundOf(ahead[0].page);
  if (sound && spare.getAttribute('src') !== sound) spare.src = sound;
}

async function lookAhead() {
  try {
    preload();
    while (ahead.length < AHEAD) {
      const mine = chain;
      const url = nextOf(ahead.at(-1)?.page ?? document);
      if (!url) break;
      const found = await fetchPage(url);
      // Or it went on from another clip meanwhile.
      if (mine !== chain) continue;
      ahead.push(found);
      preload();
    }
  } catch {
    // Without a network there is nothing ahead: it is looked for again when needed.
  }
}

function look() {
  fetching ??= lookAhead().finally(() => { fetching = undefined; });
  return fetching;
}

function hasShown(url, page) {
  shown.delete(url);
  shown.set(url, page.cloneNode(true));
  if (shown.size > MOST_DONE) shown.delete(shown.keys().next().value);
}

function put({ url, page }) {
  keepDraft();
  hasShown(url, page);
  document.title = page.title;
  document.querySelector('main').replaceChildren(...page.querySelector('main').childNodes);
  history.pushState({}, '', url);
  const sound = document.querySelector('#review audio');
  if (sound) {
    // Loaded already, or loaded now: a player that was parsed begins to load once more when it
    // is put into a page, and what was to play stops.
    if (spare.getAttribute('src') !== sound.getAttribute('src')) spare.src = sound.getAttribute('src');
    spare.controls = true;
    spare.setAttribute('aria-label', sound.getAttribute('aria-label'));
    sound.replaceWith(spare);
    spare = newSpare();
  }
  begin();
  focusClip();
  window.scrollTo({ top: 0, behavior: 'instant' });
}

async function goOn() {
  if (!ahead.length) await look();
  let next = ahead.shift();
  if (next && !next.page.querySelector('#review')) {
    // What there is to come back to is known once all is saved.
    await settled();
    next = await fetchPage(next.url).catch(() => next);
  }
  if (!next) {
    tell('The next clip can’t be loaded now. What you said is kept and will be saved.');
    return false;
  }
  audio.pause();
  isBehind([...behind, location.href].slice(-MOST_DONE));
  put(next);
  return Boolean(form);
}

// What was typed is not left behind unseen.
function skip() {
  const typed = [...form.querySelectorAll('textarea')].some((box) => box.value !== box.defaultValue);
  if (!typed || begun.leaves) return goOn();
  begun.leaves = true;
  tell('Your comment is saved with a verdict only: say “Cannot tell” to keep it, or skip once more to leave it out.');
  return undefined;
}

function previous() {
  if (!behind.length) tell('There is no clip before this one here.');
  // It would be shown without what is not saved yet.
  else if (!isEmpty(within)) tell('What you said is being saved. Try again in a moment.');
  else {
    const url = behind.at(-1);
    reopen(url, 'The clip before.', 'That clip can’t be shown now. Try again.')
      .then((is) => is && isBehind(behind.slice(0, -1)));
  }
}

// Scripts are shaped by these, so they are shown where that is wanted.
const JOINERS = { '\u200c': '⟨ZWNJ⟩', '\u200d': '⟨ZWJ⟩' };

function showJoiners() {
  const texts = document.createTreeWalker(form, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (/[\u200c\u200d]/.test(node.data) && node.parentNode.tagName !== 'TEXTAREA') found.push(node);
  }
  for (const node of found) {
    node.replaceWith(...node.data.split(/([\u200c\u200d])/).map((part) => {
      if (!JOINERS[part]) return part;
      const label = document.createElement('span');
      label.className = 'invisible';
      label.dir = 'ltr';
      label.textContent = JOINERS[part];
      return label;
    }));
  }
}

// ---- actions ----

function body(go) {
  form.elements.listened.value = String(listening.heard());
  const data = new FormData(form);
  data.set('go', go);
  return new URLSearchParams(data).toString();
}

function save() {
  const all = slots().length;
  const said = slots().filter(verdict).length;
  if (!said) {
    tell('Say of a transcription whether it is right, or skip the clip.');
    return;
  }
  add(form.action, location.href, body('next'), said);
  begun.said = parts(body('stay'), isWord);
  const left = all > said ? ` Passed over: ${all - said} of ${all} transcriptions.` : '';
  goOn().then((isNext) => isNext && tell(`Next: ${document.querySelector('h1').textContent.split(' of ')[0].toLowerCase()}.${left}`));
}

// One after the other: a key pressed twice takes two verdicts back.
let undoing = Promise.resolve();

const NO_NETWORK = 'there is no network. Try again when it is back.';
// What `fetch` fails with, and nothing else here does.
const isGone = (error) => error instanceof TypeError;

// Forgets what was said last here, if the service does not have it; gives its page, which `found`
// finds by the address: nothing is forgotten that can't be shown again. What is on its way may
// be there already: only its answer tells, so that is awaited.
function takeBack(found) {
  const entry = last(within);
  return entry && alone(entry, async () => {
    // What another window has done is told a little later; it may have saved it.
    await new Promise((told) => setTimeout(told, 100));
    if (!isKept(entry)) return undefined;
    const page = await found(entry.page);
    forget(entry);
    return page;
  });
}

function undo() {
  undoing = undoing.then(undoLast);
}

async function undoLast() {
  tell('');
  // What was not sent yet is only forgotten.
  const found = (url) => (shown.has(url) ? { url, page: shown.get(url) } : fetchPage(url));
  try {
    const waiting = await takeBack(found);
    if (waiting) {
      again(waiting, 'Taken back.');
      return;
    }
  } catch (error) {
    tell(`Nothing was taken back: ${isGone(error) ? NO_NETWORK : 'that clip can’t be shown now. Try again.'}`);
    return;
  }
  const did = done.at(-1);
  if (!did) return;
  const data = new FormData(form);
  data.set('did', did);
  data.set('go', 'undo');
  try {
    const answer = await fetch(`${form.action}/undo`, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams(data),
    });
    if (answer.status === 404) {
      isUndone();
      $('undo').disabled = !done.length && isEmpty(within);
      focusCurrent();
      tell('That can’t be undone: it is gone.');
      return;
    }
    if (!answer.ok) throw new Error('refused');
    const { to } = await answer.json();
    isUndone();
    await reopen(to, 'Taken back.', 'It is taken back, but that clip can’t be shown now.');
  } catch (error) {
    tell(isGone(error) ? `That can’t be undone: ${NO_NETWORK}` : 'That can’t be undone now. Try again.');
  }
}

const $end = () => document.querySelector('main [data-do="end"]');

// At the end of an order there is no form: what was done last is taken back on the clip before.
function offerUndo() {
  const place = document.querySelector('main .actions');
  if (!place || !done.length || !behind.length) return;
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.do = 'end';
  button.textContent = 'Undo';
  button.addEventListener('click', async () => {
    await settled();
    const url = behind.at(-1);
    const found = await fetchPage(url).catch(() => undefined);
    if (!found) return;
    again(found, '');
    isBehind(behind.slice(0, -1));
    undo();
  });
  place.append(' ', button);
}

function again(found, text) {
  ahead = [];
  chain += 1;
  audio.pause();
  put(found);
  tell(text);
}

async function reopen(url, text, otherwise) {
  try {
    again(await fetchPage(url), text);
    return true;
  } catch {
    tell(otherwise);
    return false;
  }
}

function comment() {
  const details = explained?.querySelector('details');
  if (!details) return;
  details.open = true;
  details.querySelector('textarea').focus();
}

// Takes what was heard into the reference, where that is offered.
function both() {
  const link = current?.querySelector('[data-both]');
  if (link) link.click();
  else tell('This transcription can\u2019t be taken into the reference here.');
}

// Follows a link where there is one for this reviewer.
function edit() {
  const link = form.querySelector('[data-edit]');
  if (link) link.click();
  else tell('References are changed by editors.');
}

// Lines, or word under word as well.
function grid() {
  const details = form.querySelector('[data-grid]');
  if (details) details.open = !details.open;
  else tell('These transcriptions can’t be set word under word.');
}

function step(by) {
  const all = slots();
  makeCurrent(all[all.indexOf(current) + by] ?? current);
  focusCurrent();
}

function judgeCurrent(value) {
  if (!current) return;
  judge(current, value);
  focusCurrent();
}

const actions = {
  play: toggle,
  back: () => jump(-2),
  forward: () => jump(2),
  repeat,
  slower: () => setRate(audio.playbackRate - 0.25),
  faster: () => setRate(audio.playbackRate + 0.25),
  normal: () => setRate(1),
  pace: () => setRate(PACES[(PACES.indexOf(audio.playbackRate) + 1) % PACES.length]),
  up: () => step(-1),
  down: () => step(1),
  right: () => judgeCurrent('right'),
  wrong: () => judgeCurrent('wrong'),
  cannot_tell: () => judgeCurrent('cannot_tell'),
  reason: (event, code) => toggleReason(Number(code.at(-1))),
  both,
  unusable,
  comment,
  grid,
  save,
  skip,
  previous,
  edit,
  undo,
  help,
};

// ---- keys ----

// Buttons of a headset, and foot pedals, which send the same.
const media = {
  play: start,
  pause: () => audio.pause(),
  seekbackward: actions.back,
  seekforward: actions.forward,
  previoustrack: repeat,
  nexttrack: save,
};

function takeMediaKeys() {
  for (const [name, action] of Object.entries(media)) {
    try {
      navigator.mediaSession?.setActionHandler(name, () => form?.isConnected && action());
    } catch {
      // A browser that does not know this one has the others.
    }
  }
}

function keyDown(event) {
  if (event.defaultPrevented || chords.isTyped(event) || document.querySelector('dialog[open]')) return;
  const target = event.target;
  const code = chords.codeOf(event);
  if (!form?.isConnected) {
    const isKey = event.ctrlKey || event.metaKey ? code === 'KeyZ' : settings.keys && keys.actionOf(settings, code) === 'undo';
    if (isKey && !event.altKey && !event.shiftKey && !event.repeat && !target.matches('select, input')) $end()?.click();
    return undefined;
  }
  const inText = target.matches('textarea, select, input:not([type=checkbox], [type=range])');
  const chord = event.ctrlKey || event.metaKey;
  if (chord && event.repeat) return undefined;
  if (chord && code === 'Enter' && !event.altKey) return act(event, 'save');
  if (inText) {
    if (event.key === 'Escape') return act(event, 'leave');
    const name = chords.chordOf(event);
    return name && act(event, name);
  }
  if (chord && code === 'KeyZ' && !event.altKey && !event.shiftKey) return act(event, 'undo');
  if (chord || event.altKey || !settings.keys) return undefined;
  const name = event.shiftKey && code === 'Slash' ? 'help' : keys.actionOf(settings, code);
  if (!name) return undefined;
  // A control keeps the keys that it works by.
  const own = target.matches('button, a, summary, input, [tabindex="0"]');
  if (own && ['Space', 'Enter', 'ArrowUp', 'ArrowDown'].includes(code)) return undefined;
  // Elsewhere arrows move the page, and nothing is saved from there.
  if (['up', 'down', 'save'].includes(name) && !target.closest('#review, #clip')) return undefined;
  return act(event, name, code);
}

function act(event, name, code) {
  event.preventDefault();
  // A key that is held does once what it does, but for going on and back.
  if (event.repeat && !['back', 'forward'].includes(name)) return;
  if (name === 'leave') focusCurrent();
  else actions[name](event, code);
}

function help() {
  document.querySelector('dialog')?.remove();
  const sheet = keys.sheet(settings, change);
  document.body.append(sheet);
  sheet.showModal();
}

// Another window has changed how reviews are worked with.
function hears({ key }) {
  if (key !== 'stt-review') return;
  obey();
  // Its boxes tell what was.
  document.querySelector('dialog')?.close();
}

// Controls tell their keys, while there are any.
function label() {
  for (const [name] of keys.KEYS) {
    const told = keys.labels(settings, name);
    const of = [...form.querySelectorAll(`[data-do="${name}"], .verdicts [value="${name}"]`)];
    if (name === 'both') of.push(...form.querySelectorAll('[data-both]'));
    for (const control of of) {
      if (settings.keys) control.setAttribute('aria-keyshortcuts', told.join(' '));
      else control.removeAttribute('aria-keyshortcuts');
      if ('key' in control.dataset) control.dataset.key = settings.keys ? told[0] : '';
    }
  }
  for (const summary of form.querySelectorAll('[data-slot] summary')) {
    summary.dataset.key = settings.keys ? `1–8, ${keys.labels(settings, 'comment')[0]}` : '';
  }
}

// ---- beginning ----

function begin() {
  form = document.querySelector('#review');
  if (!form) {
    offerUndo();
    return;
  }
  audio = form.querySelector('audio');
  // A screen that is locked shows it, and else the address.
  if (window.MediaMetadata) navigator.mediaSession.metadata = new MediaMetadata({ title: document.querySelector('h1').textContent });
  listening.begin(audio);
  begun = { judged: slots().length > 0 && slots().every(verdict), broken: false, again: false };
  label();
  $('undo').disabled = !done.length && isEmpty(within) && !form.elements.did.value;
  if (form.elements.did.value && !done.length) {
    done = form.elements.did.value.split(',');
    remember(sessionStorage, doneName, done);
  }
  takeDraft();
  if (settings.invisible) showJoiners();
  makeCurrent(slots().find((slot) => !verdict(slot)) ?? slots()[0]);
  const grid = form.querySelector('[data-grid]');
  if (grid) {
    grid.open = Boolean(settings.grid);
    grid.addEventListener('toggle', () => {
      if (grid.open !== Boolean(settings.grid)) change({ grid: grid.open });
    });
  }
  form.addEventListener('change', (event) => {
    reasonChanged(event);
    slots().forEach(tellCount);
  });
  form.addEventListener('focusin', (event) => {
    const slot = event.target.closest('[data-slot]');
    // Who gives a reason for “Wrong” goes on to the next.
    if (slot !== explained && event.target !== current) makeCurrent(slot);
  });
  form.addEventListener('click', clicked);
  form.addEventListener('submit', submitted);
  for (const event of ['play', 'pause', 'ended']) {
    audio.addEventListener(event, () => {
      // The last clip is gone, and with it the player.
      if (!form?.isConnected) return;
      listens();
      begun.plays = !audio.paused;
      // It may have been stopped again before its beginning is told.
      if (begun.asks && event === 'play') {
        tell('');
        begun.asks = false;
      }
      $('play').textContent = audio.paused ? 'Play' : 'Pause';
    });
  }
  audio.addEventListener('timeupdate', listens);
  audio.addEventListener('error', failed);
  // What is heard again may end again.
  audio.addEventListener('playing', () => {
    if (begun.silent) {
      tell('');
      offerFile(false);
    }
    Object.assign(begun, { again: false, broken: false, silent: false });
  });
  player.open(form, audio);
  form.querySelector('[data-seek]').addEventListener('pointerup', focusClip);
  playAt(settings.rate);
  // It may have failed before anything of this was there.
  if (audio.error) failed();
  else if (!begun.judged) start();
  if (audio.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA) look();
  else audio.addEventListener('canplaythrough', look, { once: true });
}

function clicked(event) {
  const button = event.target.closest('button');
  if (!button || !form.contains(button)) return seek(event);
  const name = button.dataset.do;
  if (name) {
    event.preventDefault();
    actions[name]();
  } else if (button.name.endsWith('.judge')) {
    event.preventDefault();
    judge(button.closest('[data-slot]'), button.value);
    // By a pointer; one who tabs goes on from here.
    if (event.detail > 0) focusCurrent(true);
  }
  return undefined;
}

function submitted(event) {
  // Enter in a box: as the key outside of it.
  event.preventDefault();
  save();
}

obey();
document.addEventListener('keydown', keyDown);
takeMediaKeys();
addEventListener('online', comesBack);
addEventListener('storage', hears);
addEventListener('popstate', () => location.reload());
// The answer to a form is asked for again as a page.
history.replaceState(null, '', location.href);
hasShown(location.href, document);
// Before others hear of it: one who signs out is told what that loses.
for (const name of ['pagehide', 'visibilitychange', 'submit']) addEventListener(name, keepDraft, true);
begin();
// Keys are of the clip, and those of readers of screens begin there.
if (form && document.activeElement === document.body) document.querySelector('h1').focus({ preventScroll: true, focusVisible: false });
// Saved by an earlier window: what is shown of it here was read before. What was begun here
// meanwhile stays, and is told when it is saved.
open(hasDone, () => {
  const isBegun = document.querySelector('#review [aria-pressed="true"], #review :checked') ||
    [...document.querySelectorAll('#review textarea')].some((one) => one.value !== one.defaultValue);
  if (!isBegun) location.reload();
});
