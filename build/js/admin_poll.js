// Looks again at what is under way, and puts what came in its place, until it says that it is over: an element with
// data-poll names the address. Without this script a link does the same.
const wait = 1500;

function next(element) {
  if (element.dataset.poll) setTimeout(() => look(element), wait);
}

async function look(element) {
  if (document.hidden) {
    next(element);
    return;
  }
  try {
    const answer = await fetch(element.dataset.poll, { credentials: 'same-origin', headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const mark = element.dataset.testid ? `[data-poll][data-testid="${element.dataset.testid}"]` : '[data-poll]';
    const fresh = page.querySelector(mark);
    // Signed out, or not there any more: the whole page says so.
    if (!answer.ok || !fresh) {
      location.reload();
      return;
    }
    const head = document.querySelector('.admin-head');
    const freshHead = page.querySelector('.admin-head');
    const over = !fresh.dataset.poll;
    element.replaceChildren(...fresh.childNodes);
    element.dataset.poll = fresh.dataset.poll ?? '';
    if (over && head && freshHead && !head.querySelector('form')) head.replaceWith(freshHead);
    next(element);
  } catch {
    next(element); // the till or the network is away; it comes back
  }
}

document.querySelectorAll('[data-poll]').forEach(next);
