// Whoever was here last need not type their name again. Signing out clears what a browser
// has kept, and this with it.

const box = document.querySelector('#name');
try {
  box.value ||= JSON.parse(localStorage.getItem('stt-name')) ?? '';
} catch {
  // A browser that keeps nothing asks again.
}
