// The branding page's preview follows what is typed. Without this script its Preview button does the same.
(() => {
  const form = document.querySelector('[data-testid=branding]');
  const previews = document.querySelectorAll('.brand-preview');
  if (!form || previews.length === 0) return;
  const field = (name) => form.elements.namedItem(name);
  const each = (selector, change) => previews.forEach((p) => p.querySelectorAll(selector).forEach(change));

  const name = field('display-name');
  name?.addEventListener('input', () => {
    each('[data-brand=name] bdi', (e) => (e.textContent = name.value));
    const letter = /[\p{L}\p{N}]/u.exec(name.value)?.[0]?.toUpperCase() ?? '•';
    each('.letter', (e) => (e.textContent = letter));
  });

  const support = field('support-email');
  support?.addEventListener('input', () => each('[data-brand=support] bdi', (e) => (e.textContent = support.value || 'help@example.com')));

  // The shades are the server's: the same stylesheet, for another colour. The old one stays until the new one is there.
  const accent = field('accent');
  let link = document.querySelector('link[href*="/branding/preview.css"]');
  let waiting;
  const recolour = () => {
    const address = previews[0].dataset.preview + '?accent=' + encodeURIComponent(accent.value.trim());
    const next = document.createElement('link');
    next.rel = 'stylesheet';
    next.href = address;
    const old = link;
    next.addEventListener('load', () => old?.remove());
    next.addEventListener('error', () => next.remove());
    link = next;
    document.querySelector('.brand-contrasts')?.remove(); // they were the other colour's
    document.head.append(next);
  };
  accent?.addEventListener('input', () => {
    clearTimeout(waiting);
    if (accent.value.trim() === '' || /^#[0-9a-f]{6}$/i.test(accent.value.trim())) waiting = setTimeout(recolour, 150);
  });

  const logo = field('logo');
  let shown = '';
  const show = (address) => {
    each('img.logo', (e) => {
      if (address) e.src = address;
      e.hidden = !address;
    });
    each('.letter', (e) => (e.hidden = !!address));
  };
  logo?.addEventListener('change', () => {
    if (shown) URL.revokeObjectURL(shown);
    const file = logo.files[0];
    shown = file && /^image\/(png|jpeg)$/.test(file.type) ? URL.createObjectURL(file) : '';
    if (shown) show(shown);
  });
  const remove = field('remove-logo');
  const before = previews[0].querySelector('img.logo').getAttribute('src');
  remove?.addEventListener('change', () => show(remove.checked ? '' : shown || before));
})();
