// Where a clip is: a slider over the outline of its sound.

// Longer and larger ones have no outline, and none where each byte is paid for: the sound is
// loaded once more for it.
const LONGEST = 600;
const LARGEST = 1000000;
const RATE = 8000;
const PARTS = 480;
const BAR = 3;

const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

// Loudness from 0 to 1 of equal parts of a sound.
function outlineOf(samples) {
  const peaks = new Array(PARTS).fill(0);
  samples.forEach((value, at) => {
    const part = Math.floor((at * PARTS) / samples.length);
    peaks[part] = Math.max(peaks[part], Math.abs(value));
  });
  const most = Math.max(...peaks, 1e-9);
  return peaks.map((peak) => peak / most);
}

async function samplesOf(url) {
  const stop = new AbortController();
  // What was played is kept as it came to a player: without leave for a page to read it.
  const answer = await fetch(url, { cache: 'no-store', signal: stop.signal });
  if (!answer.ok || !(Number(answer.headers.get('content-length') ?? 0) <= LARGEST)) {
    stop.abort();
    return undefined;
  }
  const decoder = new OfflineAudioContext(1, 1, RATE);
  return (await decoder.decodeAudioData(await answer.arrayBuffer())).getChannelData(0);
}

export function open(form, audio) {
  const slider = form.querySelector('[data-seek]');
  const canvas = form.querySelector('canvas');
  const told = form.querySelector('[data-time]');
  let peaks;
  let spoken;

  const length = () => (Number.isFinite(audio.duration) ? audio.duration : 0);

  function paint() {
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(canvas).color;
    const parts = Math.max(1, Math.floor(width / BAR));
    const played = length() ? (audio.currentTime / length()) * parts : 0;
    for (let at = 0; at < parts; at += 1) {
      const high = peaks ? Math.max(2, peaks[Math.floor((at * PARTS) / parts)] * (height - 8)) : 2;
      pen.globalAlpha = at < played ? 1 : 0.4;
      pen.fillRect(at * BAR, (height - high) / 2, peaks ? BAR - 1 : BAR, high);
    }
  }

  function show() {
    const end = length();
    slider.disabled = !end;
    slider.max = end || 1;
    slider.value = audio.currentTime;
    const place = `${clock(audio.currentTime)} / ${clock(end)}`;
    // Readers of screens are not told of each second.
    if (place !== spoken && (audio.paused || slider !== document.activeElement)) {
      spoken = place;
      slider.setAttribute('aria-valuetext', place.replace('/', 'of'));
    }
    if (told.textContent !== place) told.textContent = place;
    paint();
  }

  function run() {
    if (!canvas.isConnected) return;
    show();
    if (!audio.paused && !audio.ended) requestAnimationFrame(run);
  }

  async function draw() {
    const { saveData, type } = navigator.connection ?? {};
    if (!(length() <= LONGEST) || saveData || type === 'cellular') return;
    try {
      const samples = await samplesOf(audio.currentSrc);
      peaks = samples && outlineOf(samples);
      if (canvas.isConnected) paint();
    } catch {
      // A sound that is not decoded whole has a line for its outline.
    }
  }

  function moved(to) {
    audio.currentTime = Math.min(Math.max(0, to), length());
    spoken = undefined;
    show();
    slider.setAttribute('aria-valuetext', told.textContent.replace('/', 'of'));
  }

  slider.addEventListener('input', () => moved(Number(slider.value)));
  slider.addEventListener('keydown', (event) => {
    // It would send the form.
    if (event.key === 'Enter') event.preventDefault();
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    moved(audio.currentTime + by);
  });
  for (const name of ['pause', 'seeked', 'durationchange', 'timeupdate', 'ended']) {
    audio.addEventListener(name, () => canvas.isConnected && show());
  }
  audio.addEventListener('play', run);
  new ResizeObserver(paint).observe(canvas);
  // Sound first: its outline is looked for when it can be heard.
  if (audio.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA) draw();
  else audio.addEventListener('canplaythrough', draw, { once: true });
  show();
}
