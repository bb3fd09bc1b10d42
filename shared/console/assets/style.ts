/** One style for light and dark, for phones and wide screens. Each pair of colours has a contrast of 4.5 or more. */
export const STYLE = `:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #14171c);
  --card: light-dark(#ffffff, #1c2027);
  --ink: light-dark(#1a1f27, #e7eaee);
  --soft: light-dark(#525c69, #a7b0bc);
  --line: light-dark(#d9dee5, #343b46);
  --link: light-dark(#0b57b7, #86b7ff);
  --bar: light-dark(#16263d, #0d1219);
  --button: light-dark(#0b57b7, #2f6fd0);
  --focus: light-dark(#0b57b7, #9cc4ff);
  --good: light-dark(#0f6b35, #7fd6a1);
  --bad: light-dark(#a3180f, #ff9d94);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
* { box-sizing: border-box; }
html { overflow-y: scroll; scroll-padding-bottom: 6rem; background: var(--page); }
body { margin: 0; background: var(--page); color: var(--ink); min-height: 100vh; display: flex; flex-direction: column; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h1 + * { margin-top: 1rem; }
h1 + .sub { margin-top: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
code, .arn, .key { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; overflow-x: auto; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100vw; top: .5rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
.skip:focus { left: .5rem; }

.bar { background: var(--bar); color: #fff; }
.bar > div, main, .foot { width: 100%; max-width: 78rem; margin: 0 auto; padding: 0 1.25rem; }
.bar > div { display: flex; flex-wrap: wrap; align-items: center; gap: 0 1.25rem; min-height: 3.25rem; }
.bar a { color: #fff; text-decoration: none; padding: .75rem 0; }
.bar a:hover { text-decoration: underline; }
.bar a[aria-current] { box-shadow: inset 0 -3px #86b7ff; }
.bar :focus-visible { outline-color: #9cc4ff; }
.brand { display: flex; align-items: center; gap: .5rem; font-weight: 650; }
.brand img { display: block; }
.bar nav { display: flex; gap: 1.25rem; flex: 1; }
.bar nav a:last-child { margin-left: auto; }
.me { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: #c9d3e0; }
.bar form { margin: 0; }
.bar button { background: none; border: 1px solid #7f8da1; color: #fff; padding: .25rem .75rem; }
.bar button:hover { background: #2b3d57; }

main { flex: 1; padding-top: 1.5rem; padding-bottom: 3rem; }
main:focus { outline: none; }
.sub { color: var(--soft); margin: 0 0 1rem; overflow-wrap: anywhere; }
.foot { color: var(--soft); font-size: .875rem; padding-top: 1rem; padding-bottom: 1rem; border-top: 1px solid var(--line); }
/* The script may write a little more than the server did; a column stays as wide. */
:is(th, td) > time { display: inline-block; min-width: 15em; white-space: nowrap; }
td > time:not(:only-child) { min-width: 0; white-space: normal; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; max-width: 46rem; }
.card > :first-child { margin-top: 0; }
.card > :last-child, .card > form > :last-child { margin-bottom: 0; }
.note { border-left: 4px solid var(--link); background: var(--card); padding: .75rem 1rem; border-radius: 0 8px 8px 0; margin: 0 0 1rem; overflow-wrap: anywhere; }
.note.good { border-color: var(--good); }
.note.bad { border-color: var(--bad); }
.note > :first-child { margin-top: 0; }
.note > :last-child { margin-bottom: 0; }

dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.25rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }

.tabs { display: flex; gap: 1.25rem; border-bottom: 1px solid var(--line); margin: 0 0 1rem; overflow-x: auto; }
.tabs a { padding: .5rem 0; text-decoration: none; white-space: nowrap; }
.tabs a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: inset 0 -3px var(--link); }

.find { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; margin: 0 0 1rem; }
.find > div { flex: 0 1 20rem; }
.find select { width: 100%; }
label { display: block; font-weight: 600; font-size: .875rem; margin-bottom: .2rem; }
.hint { color: var(--soft); font-size: .875rem; margin: .2rem 0 0; }
.wrong { color: var(--bad); font-weight: 600; margin: .2rem 0 0; overflow-wrap: anywhere; }
input, select, textarea, button, .button { font: inherit; border-radius: 7px; border: 1px solid light-dark(#7b8794, #6f7b8b); padding: .45rem .7rem; background: var(--card); color: var(--ink); min-height: 2.5rem; }
input[type="search"], input[type="text"], textarea { width: 100%; }
textarea { min-height: 7rem; resize: vertical; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875rem; }
[aria-invalid="true"] { border-color: var(--bad); border-width: 2px; }
button, .button { cursor: pointer; font-weight: 600; text-decoration: none; display: inline-flex; align-items: center; }
.first { background: var(--button); border-color: var(--button); color: #fff; }
.first:hover { filter: brightness(1.12); }
.button { max-width: 100%; overflow-wrap: anywhere; }
.danger { border-color: var(--bad); color: var(--bad); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1rem; }
.field { margin: 0 0 1.1rem; }
.tick { display: grid; grid-template-columns: max-content 1fr; align-items: start; column-gap: .6rem; padding: .2rem 0; }
.tick > input { min-height: 0; width: 1.1rem; height: 1.1rem; margin: .15rem 0 0; accent-color: var(--button); }
.tick > label { font-size: 1rem; font-weight: 500; margin: 0; }
.tick > :not(input, label) { grid-column: 2; }
.more { display: none; padding-top: .6rem; }
.tick:has(> input:checked) > .more { display: block; }
fieldset { border: 0; padding: 0; margin: 0 0 1.1rem; min-width: 0; }
legend { font-weight: 600; font-size: .875rem; padding: 0; margin-bottom: .2rem; }
.meanwhile { color: var(--bad); margin: .2rem 0 0; overflow-wrap: anywhere; }
.head { display: flex; flex-wrap: wrap; gap: 0 1.25rem; align-items: end; justify-content: space-between; }
.head > .find { flex: 1 1 32rem; }
.head > .actions { margin: 0 0 1rem; }

.list { position: relative; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding: .7rem 1rem 0; font-size: .875rem; }
th, td { text-align: left; padding: .55rem 1rem; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-size: .8125rem; color: var(--soft); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
tbody th { font-weight: 600; min-width: 9rem; max-width: 34rem; overflow-wrap: anywhere; }
.who { display: block; }
.arn { display: block; color: var(--soft); font-weight: 400; font-size: .75rem; }
.tag { border: 1px solid var(--line); border-radius: 99px; padding: 0 .5em; font-size: .75rem; font-weight: 500; color: var(--soft); white-space: nowrap; }
.level { white-space: nowrap; font-weight: 600; }
.level::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .45em; background: var(--soft); }
.level.iam_only { font-weight: 400; color: var(--soft); }
.level.iam_only::before { background: none; box-shadow: inset 0 0 0 2px var(--soft); }
.level.deny { color: var(--bad); }
.level.deny::before { background: var(--bad); border-radius: 2px; }
.level.show::before { background: light-dark(#2f7ea8, #6fc3ee); }
.level.deploy::before { background: light-dark(#8a5a00, #f0bd55); }
.level.manage::before { background: light-dark(#137a3f, #6fd69b); }
.from { display: block; color: var(--soft); font-size: .8125rem; }
.yes { color: var(--good); font-weight: 700; }
.no { color: var(--soft); }
.gone { display: block; color: var(--bad); font-weight: 400; font-size: .8125rem; }
.reason { display: block; font-size: .875rem; overflow-wrap: anywhere; }
td code { overflow-wrap: break-word; }
.plain { list-style: none; padding: 0; margin: 0; }
summary { cursor: pointer; color: var(--link); }
details > ul { padding-left: 1.25rem; margin: .4rem 0; overflow-wrap: anywhere; }
progress { width: 100%; height: .75rem; accent-color: var(--button); }
.gap { margin: 0 0 .75rem; border-left: 4px solid light-dark(#8a5a00, #f0bd55); max-width: none; }
.gap.error { border-left-color: var(--bad); }
.gap h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.gap p { margin: .35rem 0; overflow-wrap: anywhere; }
.severity { color: light-dark(#7a4f00, #f0bd55); }
.gap.error .severity { color: var(--bad); }
.copied { position: relative; }
.copied pre { background: var(--page); margin: .5rem 0 0; }
.copied button { position: absolute; top: .5rem; right: .5rem; min-height: 0; padding: .2rem .6rem; font-size: .875rem; }
.why { max-width: 46rem; margin-top: 1.5rem; }
.box { display: inline-flex; align-items: center; justify-content: center; min-width: 2.5rem; min-height: 2.5rem; margin: 0; cursor: pointer; }
.box input { min-height: 0; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--button); }
.box:has(:disabled) { opacity: .55; cursor: default; }
tr.changed { background: light-dark(#eaf2fe, #1f2c40); }
tr.changed > th { box-shadow: inset 4px 0 var(--link); }
.save { position: sticky; bottom: 0; display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-top: 1rem; padding: .75rem 0; background: var(--page); border-top: 1px solid var(--line); }
[data-changed] { color: var(--soft); font-weight: 600; }
.turn { display: inline-flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .4rem; }
.gain, .loss { display: block; }
.gain { color: var(--good); }
.loss { color: var(--bad); }
.names { list-style: none; margin: 0; padding: 0; overflow-wrap: anywhere; }
summary.gain, summary.loss { display: list-item; }
.ask { max-width: none; margin-bottom: 1.5rem; }
.decides { color: var(--link); }
.list + .hint, .empty + .hint { margin-top: .6rem; }
.hint:has(+ .list) { margin-bottom: .6rem; }
.narrow { display: none; }
.pages { display: flex; gap: .75rem; margin-top: 1rem; }
.empty { padding: 2rem 1.25rem; text-align: center; color: var(--soft); background: var(--card); border: 1px dashed var(--line); border-radius: 10px; }

@media (max-width: 40rem) {
  .bar > div, main, .foot { padding-left: .9rem; padding-right: .9rem; }
  .me { flex: 1; order: 1; }
  .bar form { order: 1; padding: .4rem 0; }
  .bar nav { flex: 1 1 100%; order: 2; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .6rem; }
  th, td { padding: .5rem .6rem; }
  caption { padding: .6rem .6rem 0; }
  .level, thead th { white-space: normal; }
  tbody th { min-width: 8rem; }
  .find > div { flex: 1 1 100%; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  :is(table, tbody, tbody tr, tbody th, td, caption) { display: block; }
  tbody tr { border-bottom: 1px solid var(--line); padding: .35rem 0; }
  tbody tr:last-child { border-bottom: 0; }
  tbody tr > * { border: 0; padding: .2rem .6rem; max-width: none; }
  td[data-label] { position: relative; min-height: 1.9rem; padding-left: 9rem; overflow-wrap: anywhere; }
  td[data-label]::before { content: attr(data-label); position: absolute; left: .6rem; width: 8rem; color: var(--soft); font-size: .8125rem; line-height: 1.8; }
  [data-edit] tbody tr { display: grid; grid-template-columns: max-content max-content 1fr; align-items: center; }
  [data-edit] td[data-label] { padding-left: .6rem; }
  [data-edit] td[data-label]::before { content: none; }
  [data-edit] :is(tbody th, td:nth-child(2)) { grid-column: 1 / -1; }
  [data-edit] td > select { width: 100%; }
  [data-edit] tr.changed { box-shadow: inset 4px 0 var(--link); }
  [data-edit] tr.changed > th { box-shadow: none; }
  .narrow { display: inline; margin-left: .35rem; font-weight: 500; }
}
@media (prefers-reduced-motion: no-preference) {
  @view-transition { navigation: auto; }
  ::view-transition-group(*) { animation-duration: .12s; }
}
@media print {
  .bar, .find, .pages, .foot { display: none; }
}
`;
