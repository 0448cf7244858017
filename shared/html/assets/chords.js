// Keys of a player while one types: the same wherever what is heard is written down.

export const IN_TEXT = { KeyK: 'play', KeyJ: 'back', KeyL: 'forward', KeyR: 'repeat' };

// Which key it was: the letter that is printed on it, where that is one of ours.
export function codeOf(event) {
  const key = event.key;
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  if (event.code.startsWith('Numpad') && /^\d$/.test(key)) return `Digit${key}`;
  if (event.code === 'NumpadEnter') return 'Enter';
  return event.code;
}

// Whether a key is of a text that is being composed, or of the third level of a keyboard.
export const isTyped = (event) => event.isComposing || event.keyCode === 229 || event.getModifierState('AltGraph');

// What a key asks of a player, and of nothing else: some keyboards have signs there. One that is
// held does once what it does, but for going on and back.
export function chordOf(event) {
  if (event.defaultPrevented || isTyped(event) || !event.altKey || event.ctrlKey || event.metaKey) return undefined;
  const name = IN_TEXT[codeOf(event)];
  if (name) event.preventDefault();
  return event.repeat && !['back', 'forward'].includes(name) ? undefined : name;
}
