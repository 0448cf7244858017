// What a form asks for is asked once: a second press of the same button, while the first is
// under way, is none.

// After that it is meant: an answer may have been a file, and loading may have been stopped.
const PAUSE = 10000;
let last;
const forget = () => { last = undefined; };

addEventListener('submit', (event) => {
  const { submitter, target } = event;
  if (event.defaultPrevented || target.method !== 'post') return;
  // By its text: a page that follows a run puts its forms in anew.
  const text = target.outerHTML + submitter?.outerHTML;
  if (text === last) event.preventDefault();
  else setTimeout(forget, PAUSE);
  last = text;
});
// One who comes back to a page finds it as it was.
addEventListener('pagehide', forget);
