// Models that the first dataset of the list can't be asked of stand folded behind the others.
// For another dataset it is all of them that one chooses from, and what is ticked costs money:
// it is never out of sight, also when a browser ticks it again on the way back.

const folded = document.querySelectorAll('details:has(> .vendor)');
const open = (wanted) => folded.forEach((part) => { part.open ||= wanted(part); });

addEventListener('pageshow', () => open((part) => part.querySelector(':checked')));
document.querySelector('select[name=dataset_id]')?.addEventListener('change', () => open(() => true));
