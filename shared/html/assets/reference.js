// References that are typed and not saved: this browser keeps them for whoever typed them, and
// they are in their form again when it is shown, until they are saved.

import './kept.js';
import * as chords from './chords.js';
import { remember, remembered } from './outbox.js';

const who = document.querySelector('.visitor bdi').textContent;
// By the address of its form, which comes last.
const nameOf = (address) => `stt-draft,text,${who},${address}`;
const forget = (address) => localStorage.removeItem(nameOf(address));
const isUnsaved = [];

function open(form) {
  const { ground_truth: box, silent, etag } = form.elements;
  const address = form.dataset.draft;
  const read = etag.value;
  const isAsItStands = () => box.value === box.defaultValue && silent?.checked === silent?.defaultChecked;
  let note;

  // What was refused stands in the form from the first, and nowhere else.
  const isRefused = 'refused' in form.dataset;
  function keep() {
    if (isAsItStands() && !isRefused) {
      forget(address);
      note?.remove();
    } else {
      remember(localStorage, nameOf(address), { text: box.value, silent: silent?.checked, etag: etag.value });
    }
  }

  function letGo() {
    box.value = box.defaultValue;
    if (silent) silent.checked = silent.defaultChecked;
    etag.value = read;
    keep();
    box.focus();
  }

  function tell(isChanged) {
    note = document.createElement('p');
    note.className = 'error';
    note.setAttribute('role', 'status');
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = 'Discard it';
    button.addEventListener('click', letGo);
    const changed = isChanged ? 'The reference was changed since: you are shown both before yours replaces it. ' : '';
    note.append(`This was written before, and is not saved yet. ${changed}`, button);
    form.prepend(note);
  }

  function takeBack() {
    const draft = remembered(localStorage, nameOf(address), undefined);
    if (!draft) return;
    box.value = draft.text;
    if (silent) silent.checked = draft.silent;
    // Saving tells whether another stands there by now.
    etag.value = draft.etag;
    if (isAsItStands()) {
      // It was saved, and no answer told.
      etag.value = read;
      forget(address);
      return;
    }
    tell(draft.etag !== read);
    const details = form.closest('details');
    if (details) details.open = true;
    isUnsaved.push(form);
  }

  if (isRefused) keep();
  else takeBack();
  form.addEventListener('input', keep);
}

// What was saved: by the page that answers it, or by the version that an address tells.
for (const answer of document.querySelectorAll('[data-drafted]')) forget(answer.dataset.drafted);
const here = new URL(location);
const version = Number(here.searchParams.get('version'));
if (version) {
  const saved = `/samples/${here.searchParams.get('written')}`;
  if (Number(remembered(localStorage, nameOf(saved), {}).etag) < version) forget(saved);
  // Said once: what is typed from now on is another matter.
  for (const name of ['version', 'written', 'edit']) here.searchParams.delete(name);
  history.replaceState(null, '', here);
}

// As in the texts of a review.
function saveByKey(form) {
  form.elements.ground_truth.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.altKey || event.repeat || chords.isTyped(event)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

// Who types what is heard need not leave the text for it.
function listen(form) {
  const box = form.elements.ground_truth;
  const audio = (form.closest('.clip') ?? document).querySelector('audio');
  if (!audio) return;
  // Players tell themselves what they can't play.
  const play = () => audio.play().catch(() => {});
  const jump = (seconds) => { audio.currentTime = Math.max(0, audio.currentTime + seconds); };
  const actions = {
    play: () => (audio.paused ? play() : audio.pause()),
    back: () => jump(-2),
    forward: () => jump(2),
    repeat: () => {
      jump(-3);
      play();
    },
  };
  // Without this script nothing is to be told of keys.
  box.setAttribute('aria-keyshortcuts', 'Alt+K Alt+J Alt+L Alt+R Control+Enter');
  box.setAttribute('aria-describedby', `${box.getAttribute('aria-describedby')} ${form.querySelector('[data-player]').id}`);
  box.addEventListener('keydown', (event) => actions[chords.chordOf(event)]?.());
}

for (const form of document.querySelectorAll('form[data-draft]')) {
  open(form);
  saveByKey(form);
  listen(form);
}

// One who goes on from clip to clip begins in the text of the next.
const aimed = document.getElementById(here.hash.slice(1));
if (aimed?.matches('textarea')) {
  aimed.closest('details')?.setAttribute('open', '');
  aimed.focus({ preventScroll: true });
}

// A window for one reference begins in it.
const boxes = document.querySelectorAll('main textarea');
if (boxes.length === 1 && document.activeElement === document.body) boxes[0].focus();

// On a page of many clips, which ones it is.
const clips = isUnsaved.map((form) => form.closest('.clip[id]')).filter(Boolean);
if (clips.length) {
  const list = document.createElement('p');
  list.className = 'error';
  list.append('Not saved yet: ');
  for (const clip of clips) {
    const link = document.createElement('a');
    link.href = `#${clip.id}`;
    link.textContent = clip.querySelector('form .said').textContent;
    list.append(link, clip === clips.at(-1) ? '.' : ', ');
  }
  document.querySelector('h1').after(list);
  // What was opened has moved what the address leads to.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}
