// Whoever was here last need not type their name again. Signing out clears what a browser
// has kept, and this with it, but not how reviews are worked with.

const kept = decodeURIComponent(location.hash.slice(1));
if (kept && document.referrer.startsWith(`${location.origin}/`)) {
  // Of one who has just signed out: keys are theirs whoever signs in.
  if (kept.startsWith('{')) localStorage.setItem('stt-review', kept);
  history.replaceState(null, '', location.pathname);
}

const box = document.querySelector('#name');
try {
  box.value ||= JSON.parse(localStorage.getItem('stt-name')) ?? '';
} catch {
  // A browser that keeps nothing asks again.
}
