/**
 * What the page does where scripts may run: filter. It reads the page and shows or hides parts of it; it writes
 * nothing but the count, as text. Without it the page is whole, only without the form.
 */
export const script = `
'use strict';
(() => {
  const form = document.getElementById('filter');
  if (!form) return;
  const status = document.getElementById('shown');
  const parts = [...document.querySelectorAll('[data-outcome]')].map((element) => ({
    element,
    hosts: (element.dataset.hosts ?? element.closest('[data-host]')?.dataset.host ?? '').toLowerCase(),
    text: '',
  }));
  const boxes = [...document.querySelectorAll('section, [data-host]')].reverse();
  const steps = parts.filter(({ element }) => element.classList.contains('step'));
  const opened = new Set();
  const fits = ({ element, hosts }, wanted) =>
    (wanted.outcome === '' || element.dataset.outcome === wanted.outcome) &&
    (wanted.step === '' || element.dataset.step === wanted.step) &&
    (wanted.standing === '' || standing(element.dataset.marks.split(' '), wanted.standing)) &&
    (wanted.host === '' || hosts.includes(wanted.host));
  const standing = (marks, wanted) => (wanted === 'not waived' ? !marks.includes('waived') : marks.includes(wanted));
  const says = (part, text) => {
    if (text === '') return true;
    if (part.text === '') part.text = (part.element.textContent + ' ' + part.hosts).toLowerCase();
    return part.text.includes(text);
  };
  const filter = () => {
    const wanted = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [name, name === 'host' || name === 'text' ? value.trim().toLowerCase() : value]),
    );
    const active = Object.values(wanted).some((value) => value !== '');
    for (const part of parts) part.element.hidden = !(fits(part, wanted) && says(part, wanted.text));
    for (const box of boxes) {
      const own = box.querySelectorAll('[data-outcome]');
      box.hidden = active && [...own].every((element) => element.hidden);
    }
    const shown = steps.filter(({ element }) => !element.hidden);
    const hosts = new Set(shown.map(({ element }) => element.closest('[data-host]')));
    for (const host of opened) host.open = false;
    opened.clear();
    if (active && hosts.size <= 20)
      for (const host of hosts) if (!host.open) { host.open = true; opened.add(host); }
    status.textContent = active ? shown.length + ' of ' + steps.length + ' results on ' + hosts.size + (hosts.size === 1 ? ' host' : ' hosts') : '';
  };
  let asked = 0;
  form.addEventListener('input', () => { clearTimeout(asked); asked = setTimeout(filter, 120); });
  form.addEventListener('reset', () => { setTimeout(filter); });
  form.addEventListener('submit', (event) => { event.preventDefault(); filter(); });
  const closed = new Set();
  addEventListener('beforeprint', () => {
    for (const host of document.querySelectorAll('details:not([open])')) { host.open = true; closed.add(host); }
  });
  addEventListener('afterprint', () => { for (const host of closed) host.open = false; closed.clear(); });
  form.hidden = false;
})();
`;
