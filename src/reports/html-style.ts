/** Colours are never the only sign: every outcome is written, too. */
export const style = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b636b; --paper: #fff; --panel: #f5f6f8; --line: #d9dde1;
  --good: #17683a; --blue: #1d5fa8; --warn: #8a5300; --bad: #b3261e; --odd: #6a3ab2; --mute: #5b636b;
  --good-fill: #5fae7f; --blue-fill: #6ea3dc; --warn-fill: #e9b04e; --bad-fill: #d9645c; --odd-fill: #a283d6; --mute-fill: #b8bfc6;
  --fine-fill: #d3e8db; --near-fill: #f6dda8; --over-fill: #f2c0bb; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ea; --soft: #a3abb3; --paper: #15181b; --panel: #1e2226; --line: #373d43;
    --good: #6fcf97; --blue: #8fc1f5; --warn: #f0b35a; --bad: #ff8a80; --odd: #c9a7ff; --mute: #a3abb3;
    --good-fill: #3c8a5d; --blue-fill: #4079b5; --warn-fill: #b98126; --bad-fill: #c2514a; --odd-fill: #7d5cb8; --mute-fill: #59626b;
    --fine-fill: #24402f; --near-fill: #57431a; --over-fill: #5f2a27; }
}
/* What gets the focus is not below the form that sticks to the top. */
:root { scroll-padding-top: 8rem; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 3rem; background: var(--paper); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .35rem; }
p { margin: .25rem 0; }
small { color: var(--soft); font-size: .85em; font-weight: normal; }
.verdict { font-weight: 600; border-left: .3rem solid; border-radius: .2rem; padding: .5rem .85rem; margin: 0 0 1.25rem;
  background: var(--panel); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.note { border-left: .3rem solid var(--warn); padding-left: .75rem; }
.note + .note { margin-top: -.25rem; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem 2.5rem; }
.shares { display: block; width: 100%; height: .8rem; border-radius: .25rem; margin: .25rem 0 .4rem; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; list-style: none; margin: 0; padding: 0; }
.news { margin: .75rem 0 0; }
rect.ok { fill: var(--good-fill); }
rect.changed { fill: var(--blue-fill); }
rect.warning, rect.soft { fill: var(--warn-fill); }
rect.failed, rect.refused { fill: var(--bad-fill); }
rect.unknown, rect.unreachable { fill: var(--odd-fill); }
rect.skipped, rect.waived { fill: var(--mute-fill); }
.limits, .line { flex: none; vertical-align: middle; }
.limits rect.fine, .line rect.fine { fill: var(--fine-fill); }
.limits rect.warning, .line rect.warning { fill: var(--near-fill); }
.limits rect.critical, .line rect.critical { fill: var(--over-fill); }
.line path { fill: none; stroke: var(--text); stroke-width: 1.5; stroke-linejoin: round; }
.line .forecast { stroke-dasharray: 3 3; }
.line circle { fill: var(--text); }
.limits path { stroke: var(--text); stroke-width: 2; }
.limits .many { stroke-width: 1; stroke-opacity: .6; }
/* Marks piled on a letter stay in their own box. */
h1, dd, .note, article, th, td, summary, .step { overflow: clip; }
.numbers { list-style: none; display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; margin: .2rem 0; padding: 0;
  color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums; }
.numbers li { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .6rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem 1.5rem; margin: 1.25rem 0 0; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; }
#filter { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: end; gap: .5rem .75rem;
  margin: 1.5rem 0 0; padding: .75rem 0; background: var(--paper); border-bottom: 1px solid var(--line); }
#filter label { display: flex; flex-direction: column; flex: 1 1 9rem; max-width: 15rem; color: var(--soft); font-size: .85rem; }
#filter input, #filter select, #filter button { font: inherit; font-size: 1rem; min-height: 2.4rem; width: 100%;
  padding: .25rem .5rem; color: var(--text); background: var(--panel); border: 1px solid var(--mute); border-radius: .3rem; }
#filter button { flex: 0 0 auto; width: auto; padding: .25rem .9rem; cursor: pointer; }
#filter ::placeholder { color: var(--soft); opacity: 1; }
#shown { flex: 1 1 100%; color: var(--soft); font-size: .9rem; }
#shown:empty { display: none; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
article { background: var(--panel); border-left: .3rem solid var(--mute); border-radius: .2rem; padding: .75rem 1rem;
  margin: 0 0 .75rem; }
article.failed, article.refused { border-color: var(--bad); }
article.unknown, article.unreachable { border-color: var(--odd); }
article.warning { border-color: var(--warn); }
.where { font-family: ui-monospace, monospace; font-size: .9rem; }
.do::before { content: "do: "; color: var(--soft); }
ul { margin: .25rem 0; padding-left: 1.25rem; }
.severity.critical, .severity.high { color: var(--bad); }
.severity.medium { color: var(--warn); }
pre { margin: .5rem 0; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .3rem; background: var(--paper);
  font: .85rem/1.4 ui-monospace, monospace; white-space: pre-wrap; unicode-bidi: plaintext; max-height: 24rem; overflow: auto; }
.badge { display: inline-block; border: 1px solid; border-radius: .3rem; padding: 0 .4rem; color: var(--mute);
  font-size: .8rem; font-weight: 600; white-space: nowrap; }
.badge.ok, .badge.fixed { color: var(--good); }
.badge.changed { color: var(--blue); }
.badge.warning, .badge.soft { color: var(--warn); }
.badge.failed, .badge.refused, .badge.new { color: var(--bad); }
.badge.unknown, .badge.unreachable { color: var(--odd); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .5rem 1rem .5rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-size: .85rem; font-weight: normal; }
tbody th { font-weight: 600; }
.steps th:nth-child(2) { width: 18%; min-width: 8rem; }
.steps td:nth-child(3) { width: 26%; }
details { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; overflow-clip-margin: .5rem; padding: .45rem 0; }
.step { margin: 0 0 .6rem 1rem; padding-left: .85rem; border-left: 2px solid var(--line); }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 44rem) {
  body { padding: 1rem 1rem 2rem; }
  #filter { position: static; }
  #filter label { flex-basis: 8rem; max-width: none; }
  .steps thead { position: absolute; clip-path: inset(50%); }
  .steps, .steps tbody, .steps tr, .steps th, .steps td { display: block; }
  .steps th:nth-child(2), .steps td:nth-child(3) { width: auto; }
  .steps tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  .steps th, .steps td { border: 0; padding: .1rem 0; }
  .steps td:first-child { float: right; margin-left: .75rem; }
  .step { margin-left: 0; }
}
@media print {
  :root { color-scheme: light; --text: #000; --soft: #444; --paper: #fff; --panel: #fff; --line: #999;
    --good: #17683a; --blue: #1d5fa8; --warn: #8a5300; --bad: #b3261e; --odd: #6a3ab2; --mute: #444;
    --good-fill: #5fae7f; --blue-fill: #6ea3dc; --warn-fill: #e9b04e; --bad-fill: #d9645c; --odd-fill: #a283d6; --mute-fill: #b8bfc6;
    --fine-fill: #d3e8db; --near-fill: #f6dda8; --over-fill: #f2c0bb; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  #filter { position: static; border: 0; padding: 0; }
  #filter label, #filter button { display: none; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  pre { max-height: none; }
  .verdict { border: 1px solid; border-left-width: .3rem; }
  article { border: 1px solid var(--line); border-left-width: .3rem; }
  article, tr, .step { break-inside: avoid; }
  thead { display: table-header-group; }
  h2, h3, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
