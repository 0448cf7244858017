// The keys of the review: which there are, which one was pressed, and the sheet that tells
// them and lets a reviewer change them.

import * as chords from './chords.js';

// Every action, its keys outside of texts, and what it is called on the sheet of keys.
// Codes are for keyboards whose letters are not these; letters go before codes, so that
// what is printed on a key is what counts.
export const KEYS = [
  ['play', 'Space KeyK', 'Play or pause'],
  ['back', 'KeyJ', 'Back 2 seconds'],
  ['forward', 'KeyL', 'Forward 2 seconds'],
  ['repeat', 'KeyR', 'Repeat 3 seconds (Shift: slowly)'],
  ['slower', 'BracketLeft', 'Slower'],
  ['faster', 'BracketRight', 'Faster'],
  ['normal', 'Backslash', 'Normal speed'],
  ['up', 'ArrowUp', 'Transcription above'],
  ['down', 'ArrowDown', 'Transcription below'],
  ['right', 'KeyY KeyF', 'Right'],
  ['wrong', 'KeyN KeyD', 'Wrong'],
  ['cannot_tell', 'KeyU KeyG', 'Cannot tell'],
  ['reason', 'Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8', 'Reasons, of what was just found wrong'],
  ['both', 'KeyB', 'Both are right'],
  ['unusable', 'KeyX', 'The recording can’t be understood'],
  ['edit', 'KeyE', 'Edit the reference'],
  ['comment', 'KeyC', 'Comment, on the same (Escape leaves)'],
  ['grid', 'KeyT', 'Word under word'],
  ['save', 'Enter', 'Save and next (in a text: Ctrl+Enter)'],
  ['skip', 'KeyS', 'Skip'],
  ['previous', 'KeyP', 'The clip before'],
  ['undo', 'KeyZ', 'Undo'],
  ['help', 'KeyH', 'These keys'],
];
// Keys that browsers and screen readers leave to a page.
const FREE = /^(Key[A-Z]|Digit[09]|Bracket(Left|Right)|Backslash|Semicolon|Comma|Period|Minus|Equal|Backquote|Space|Enter|Arrow(Up|Down|Left|Right))$/;
const SIGNS = {
  BracketLeft: '[', BracketRight: ']', Backslash: '\\', Semicolon: ';', Comma: ',', Period: '.',
  Minus: '-', Equal: '=', Backquote: '`', ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→',
};

const label = (code) => SIGNS[code] ?? code.replace(/^(Key|Digit)/, '');

// The codes of an action: those that the reviewer chose go before ours.
function codesOf(settings, name) {
  const chosen = settings.map?.[name];
  if (typeof chosen === 'string' && FREE.test(chosen)) return [chosen];
  return KEYS.find(([known]) => known === name)[1].split(' ');
}

export const labels = (settings, name) => codesOf(settings, name).map(label);

// What a key does.
export function actionOf(settings, code) {
  return KEYS.map(([name]) => name).find((name) => codesOf(settings, name).includes(code));
}

function box(settings, name, text, change) {
  const row = document.createElement('label');
  row.className = 'choice';
  const input = document.createElement('input');
  input.type = 'checkbox';
  input.checked = settings[name];
  input.addEventListener('change', () => change({ [name]: input.checked }));
  row.append(input, ` ${text}`);
  return row;
}

function button(text, clicked) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.addEventListener('click', clicked);
  return made;
}

// The sheet of keys; `change` is told which settings are to be others.
export function sheet(settings, change) {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'keys-title');
  const title = document.createElement('h2');
  title.id = 'keys-title';
  title.textContent = 'Keys and settings';
  const told = document.createElement('p');
  told.className = 'told';
  told.setAttribute('role', 'status');
  const list = document.createElement('dl');
  list.className = 'facts';
  const names = new Map();
  let waiting;

  const show = () => {
    for (const [name, key] of names) {
      const inText = Object.keys(chords.IN_TEXT).find((code) => chords.IN_TEXT[code] === name);
      const of = name === 'reason' ? '1 to 8' : labels(settings, name).join(' or ');
      key.textContent = inText ? `${of} (in a text: Alt+${label(inText)})` : of;
    }
  };
  const stop = (text) => {
    waiting = undefined;
    told.textContent = text;
  };

  for (const [name, , text] of KEYS) {
    const key = document.createElement('dt');
    const what = document.createElement('dd');
    what.textContent = text;
    names.set(name, key);
    if (name !== 'reason') {
      const other = button('Change', () => {
        waiting = { name, text };
        told.textContent = `Press a key for “${text}”. Escape leaves it as it is.`;
      });
      other.setAttribute('aria-label', `Change the key: ${text}`);
      what.append(other);
    }
    list.append(key, what);
  }

  dialog.addEventListener('keydown', (event) => {
    if (!waiting || event.repeat || ['Shift', 'Control', 'Alt', 'Meta', 'AltGraph'].includes(event.key)) return;
    // Tab leaves the choice, and the key as it was.
    if (event.key === 'Tab') return stop('');
    event.preventDefault();
    if (event.key === 'Escape') return stop('Left as it was.');
    const code = chords.codeOf(event);
    const chord = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey;
    if (chord || !FREE.test(code)) {
      told.textContent = 'That key can’t be chosen. Press another, or Escape.';
      return;
    }
    const taken = actionOf(settings, code);
    if (taken && taken !== waiting.name) {
      const [, , text] = KEYS.find(([name]) => name === taken);
      told.textContent = `${label(code)} is the key for “${text}”. Press another, or Escape.`;
      return;
    }
    change({ map: { ...settings.map, [waiting.name]: code } });
    show();
    stop(`${label(code)} is now the key for “${waiting.text}”.`);
  });
  dialog.addEventListener('close', () => stop(''));

  show();
  const actions = document.createElement('div');
  actions.className = 'actions';
  actions.append(
    button('Close', () => dialog.close()),
    button('All keys as they were', () => {
      change({ map: undefined });
      show();
      stop('All keys are as they were.');
    }),
  );
  // In sight, however far one reads.
  actions.append(told);
  dialog.append(
    title,
    actions,
    box(settings, 'keys', 'Single keys', change),
    box(settings, 'guard', 'Listen before judging', change),
    box(settings, 'invisible', 'Show characters that join or part letters (ZWJ, ZWNJ)', change),
    list,
  );
  return dialog;
}
