// Follows a run until nothing of it changes any more: asks for what has changed and puts it
// into the page.
// Without it the page has a link to load it anew.

import './transcripts.js';
import * as fragment from './fragment.js';

const FIRST = 2_000;
const MOST = 30_000;
const SLOWER = 1.5;

const place = document.querySelector('[data-live]');
const told = document.querySelector('[data-told]');
const button = document.querySelector('[data-do="pause"]');
const pause = button.textContent;

let delay = FIRST;
let timer = 0;
let tag = '';
let asking = false;
let paused = false;
let over = false;

const shown = () => place.firstElementChild.dataset;
const isActive = () => ['pending', 'processing'].includes(shown().state);
// Else it is being stopped, or scored again.
const done = isActive() ? 'The run has ended.' : 'That is done.';

function end(sentence) {
  over = true;
  clearTimeout(timer);
  told.textContent = sentence;
  // A control that goes takes the focus with it.
  if (document.activeElement === button) document.querySelector('main').focus();
  button.remove();
}

function replace(page) {
  const next = page?.body.firstElementChild;
  if (!next?.dataset.state) return end('Updates have stopped: load the page again.');
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  place.replaceChildren(document.adoptNode(next));
  if (focused) (document.getElementById(focused) ?? document.querySelector('main')).focus();
  if (shown().followed !== 'true') end(`${done} ${next.dataset.said}.`);
}

// What could not be asked is asked again, later and later.
async function ask() {
  asking = true;
  try {
    const headers = tag ? { 'if-none-match': tag } : {};
    const answer = await fetch(place.dataset.live, { headers, redirect: 'manual', cache: 'no-store' });
    if (answer.type === 'opaqueredirect') return end('You are signed out: load the page again.');
    if (answer.status === 404) return end('This run has been deleted.');
    if (answer.status === 200) {
      tag = answer.headers.get('etag') ?? '';
      replace(await fragment.pageOf(answer));
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  } finally {
    asking = false;
    later();
  }
}

function later() {
  clearTimeout(timer);
  if (over || paused || asking || document.hidden) return;
  timer = setTimeout(ask, delay);
  delay = Math.min(delay * SLOWER, MOST);
}

function goOn() {
  delay = FIRST;
  later();
}

button.addEventListener('click', () => {
  paused = !paused;
  button.textContent = paused ? 'Go on' : pause;
  goOn();
});
document.addEventListener('visibilitychange', goOn);
goOn();
