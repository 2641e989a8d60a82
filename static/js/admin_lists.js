// What the staff's lists and order pages do besides, where there is a script: keys, copying, looking again, and forms
// that are sent once. Without it every page reads and works all the same.
'use strict';

(() => {
  const root = document.documentElement;
  root.classList.add('script'); // shows what needs a script, in room that was kept for it

  // Keys: j and k move through the rows, / goes to the search. Who does not want them, because a screen reader or speech
  // input types letters, turns them off, and the browser remembers it (WCAG 2.1.4).
  const remembered = 'portatill-keys';
  const off = () => localStorage.getItem(remembered) === 'off';
  const rows = () => [...document.querySelectorAll('[data-row]')];
  const typing = (at) => at.closest('input, select, textarea, [contenteditable]') !== null;
  const move = (by) => {
    const all = rows();
    if (all.length === 0) return;
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    next.focus();
    next.closest('tr').scrollIntoView({ block: 'nearest' });
  };
  document.addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || off()) return;
    if (!(e.target instanceof Element)) return;
    if (e.key === 'Escape' && e.target.matches('[data-search]')) e.target.blur();
    if (typing(e.target)) return;
    const search = document.querySelector('[data-search]');
    if (e.key === 'j') move(1);
    else if (e.key === 'k') move(-1);
    else if (e.key === '/' && search) search.select(); // focuses it too: what is typed takes the place of the last search
    else return;
    e.preventDefault();
  });
  for (const hint of document.querySelectorAll('[data-keys]')) {
    const turn = hint.querySelector('[data-keys-switch]');
    const tell = () => {
      turn.textContent = off() ? 'Turn on' : 'Turn off';
      hint.classList.toggle('keys-off', off());
    };
    turn.addEventListener('click', () => {
      localStorage.setItem(remembered, off() ? 'on' : 'off');
      tell();
    });
    tell();
  }

  // Copying: says on the button that it was done.
  document.addEventListener('click', async (e) => {
    const button = e.target instanceof Element && e.target.closest('[data-copy]');
    if (!button) return;
    const face = button.querySelector('[aria-hidden]');
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      face.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling); // to be copied by hand
      face.textContent = 'Selected';
    }
    setTimeout(() => (face.textContent = 'Copy'), 2000);
  });

  // A form that changes something is sent once, however often its button is pressed.
  document.addEventListener('submit', (e) => {
    if (!e.target.matches('[data-once]')) return;
    if (e.target.dataset.sent) e.preventDefault();
    e.target.dataset.sent = 'yes';
  });
  addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('[data-sent]')) delete form.dataset.sent;
  });

  // Looking again: an order that may still change is fetched every few seconds, and shown when there is news. It ends
  // after some minutes and while nobody looks, so that an open page does not keep a session alive.
  const every = 4000;
  const until = Date.now() + 10 * 60_000;
  const look = async () => {
    const now = document.querySelector('[data-live][data-waits]');
    if (!now || Date.now() > until) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(now.dataset.live, { headers: { Accept: 'text/html' } });
        const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : null;
        const news = page?.querySelector('[data-live]');
        if (news && news.dataset.version !== now.dataset.version) {
          const main = document.querySelector('main');
          if (main.contains(document.activeElement) && document.activeElement !== main) {
            now.querySelector('.live-note')?.append(' There is news.'); // nobody's focus is taken away
            return;
          }
          main.replaceChildren(...page.querySelector('main').children);
        }
      } catch {
        // The network is away: the next look tells.
      }
    }
    setTimeout(look, every);
  };
  if (document.querySelector('[data-live][data-waits]')) setTimeout(look, every);
})();
