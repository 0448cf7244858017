// What turns a text around it, as the service labels it: by its name, and without its effect.

const NAMES = ['LRE', 'RLE', 'PDF', 'LRO', 'RLO', 'LRI', 'RLI', 'FSI', 'PDI'];

export function visible(text) {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (sign) => {
    const at = sign.charCodeAt() - 0x202a;
    return `⟨${NAMES[at < 5 ? at : at - 0x37]}⟩`;
  });
}
