// What scripts put into a page: pages of this service, and nothing else.

const policy = window.trustedTypes?.createPolicy('fragment', { createHTML: (text) => text });

// A page that this service answers scripts with; nothing else is taken for one.
export async function pageOf(answer) {
  const { headers, url } = answer;
  const isOurs = new URL(url).origin === location.origin && headers.get('x-fragment') === '1' &&
    headers.get('content-type')?.startsWith('text/html');
  if (!isOurs) return undefined;
  const text = await answer.text();
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, 'text/html');
}
