import { html } from './html-markup.js';

/** Colours are never the only sign: every outcome is written, too. */
export const style = html`
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b636b; --paper: #fff; --panel: #f4f5f7; --line: #d9dde1;
  --good: #17683a; --warn: #8a5300; --bad: #b3261e; --odd: #6a3ab2; --mute: #5b636b; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ea; --soft: #a3abb3; --paper: #15181b; --panel: #1f2327; --line: #373d43;
    --good: #6fcf97; --warn: #f0b35a; --bad: #ff8a80; --odd: #c9a7ff; --mute: #a3abb3; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem; background: var(--paper); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; }
small { color: var(--soft); font-size: .85em; font-weight: normal; }
.verdict { font-weight: 600; border-left: .3rem solid; padding: .25rem .75rem; margin: 0 0 1rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.note { border-left: .3rem solid var(--warn); padding-left: .75rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .5rem 1.5rem; margin: 0; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; }
article { background: var(--panel); border-left: .3rem solid var(--mute); padding: .75rem 1rem; margin: 0 0 .75rem; }
article.failed, article.refused { border-color: var(--bad); }
article.unknown, article.unreachable { border-color: var(--odd); }
article.warning { border-color: var(--warn); }
.where { font-family: ui-monospace, monospace; font-size: .9rem; }
.do::before { content: "do: "; color: var(--soft); }
ul { margin: .25rem 0; padding-left: 1.25rem; }
pre { margin: .5rem 0; padding: .5rem .75rem; border: 1px solid var(--line); background: var(--paper);
  font: .85rem/1.4 ui-monospace, monospace; white-space: pre-wrap; max-height: 24rem; overflow: auto; }
.badge { display: inline-block; border: 1px solid; border-radius: .25rem; padding: 0 .4rem; color: var(--mute);
  font-size: .8rem; font-weight: 600; white-space: nowrap; }
.badge.ok, .badge.changed { color: var(--good); }
.badge.warning, .badge.soft { color: var(--warn); }
.badge.failed, .badge.refused { color: var(--bad); }
.badge.unknown, .badge.unreachable { color: var(--odd); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .85rem; font-weight: normal; }
tbody th { font-weight: 600; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
.step { margin: .5rem 0 .5rem 1rem; }
.measured { color: var(--soft); font-size: .85rem; }
footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) {
  .steps thead { position: absolute; clip-path: inset(50%); }
  .steps, .steps tbody, .steps tr, .steps th, .steps td { display: block; }
  .steps tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .steps th, .steps td { border: 0; padding: .1rem 0; }
  .step { margin-left: 0; }
}
@media print {
  :root { --text: #000; --soft: #444; --paper: #fff; --panel: #fff; --line: #999;
    --good: #17683a; --warn: #8a5300; --bad: #b3261e; --odd: #6a3ab2; --mute: #444; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  pre { max-height: none; }
  article { border: 1px solid var(--line); border-left-width: .3rem; }
  article, tr, .step { break-inside: avoid; }
  thead { display: table-header-group; }
  h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
