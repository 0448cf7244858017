// How much of a clip was heard, and what may be said of it by then.

let audio;
// From where to where it was played, in seconds.
let ranges;
let length;

// `before` is what was heard of the clip in this window before.
export function begin(player, before = []) {
  [audio, ranges, length] = [player, before, 0];
}

// How much was played, in percent; seeking does not count, playing twice counts once. A player
// forgets what it has played, and how long it is, when it loads its sound anew: it is kept here.
export function heard() {
  const all = [...ranges];
  for (let i = 0; i < audio.played.length; i += 1) all.push([audio.played.start(i), audio.played.end(i)]);
  ranges = [];
  for (const [from, to] of all.sort(([one], [other]) => one - other)) {
    const last = ranges.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else ranges.push([from, to]);
  }
  if (Number.isFinite(audio.duration)) length = audio.duration;
  if (!(length > 0)) return audio.ended ? 100 : 0;
  return Math.min(100, Math.round((seconds() / length) * 100));
}

const seconds = () => ranges.reduce((sum, [from, to]) => sum + to - from, 0);

export const kept = () => ranges;

// Why a verdict can't be given yet: one place for buttons, keys and touch.
export function refuses(value, isBroken) {
  const share = heard();
  if (isBroken && share < 90) return 'It can’t be heard here: say “Cannot tell”, or skip it.';
  if (value === 'right' && share < 90) return 'Listen to the end first.';
  if (value === 'wrong' && share < 90 && seconds() < 3) return 'Listen for three seconds first.';
  return '';
}
