// What turns a text around it, as the service labels it: by its name, and without its effect.

const NAMES = 'LRE RLE PDF LRO RLO LRI RLI FSI PDI'.split(' ');
// They are U+202A to U+202E and U+2066 to U+2069.
const named = (sign) => `⟨${NAMES[(sign.charCodeAt() - 0x202a) % 55]}⟩`;

export const visible = (text) => text.replace(/[\u202a-\u202e\u2066-\u2069]/g, named);
