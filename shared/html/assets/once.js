// What a form asks for is asked once: a second press of the same button, while the first is
// under way, is none.

let last, pause;
const forget = () => { last = ''; };

addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  // By its text: a page that follows a run puts its forms in anew.
  const text = form.outerHTML + event.submitter?.outerHTML;
  if (text === last) {
    event.preventDefault();
    return;
  }
  last = text;
  // After that it is meant: an answer may have been a file, and loading may have been stopped.
  clearTimeout(pause);
  pause = setTimeout(forget, 1e4);
});
// One who comes back to a page finds it as it was.
addEventListener('pagehide', forget);
