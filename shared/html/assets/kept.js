// Under which names a window keeps what it uploads for a dataset: once that is saved it is no part
// of the next.

export const uploads = (project) => `stt-uploads.${project}`;
export const table = (project) => `stt-table.${project}`;

const saved = document.querySelector('[data-saved]');
if (saved) {
  for (const of of [uploads, table]) sessionStorage.removeItem(of(saved.dataset.saved));
  // Once: one who comes back here may have begun the next.
  history.replaceState(null, '', location.pathname);
}
