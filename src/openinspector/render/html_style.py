"""The style of the HTML report: light and dark, narrow and wide, screen and paper; no fonts or images to load."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ground: #f4f5f7; --ink: #1b1f24; --quiet: #57606a; --line: #d5d9df; --link: #0a58b0;
  --critical: #8b0f2b; --high: #b3390b; --medium: #7a5700; --low: #1d5d9b; --negligible: #57606a; --unknown: #57606a;
  --on: #ffffff; --warn-ground: #fff6dd; --warn-line: #d9a400;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171b21; --ground: #0e1116; --ink: #e5e9ee; --quiet: #9aa5b1; --line: #313842; --link: #7db7ff;
    --critical: #ff8fa3; --high: #ff9f68; --medium: #f0c24b; --low: #86bff5; --negligible: #a9b4c0; --unknown: #a9b4c0;
    --on: #101318; --warn-ground: #2b2410; --warn-line: #a67c00;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; padding: 0 1rem 3rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header, main, footer { max-width: 72rem; margin: 0 auto; }
header { padding: 1.75rem 0 .5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.02rem; margin: 0; overflow-wrap: anywhere; }
h3 .version { font-weight: 400; color: var(--quiet); }
p { margin: .35rem 0; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
code { font: .875em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.small { font-size: .875rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
nav ul {
  display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .75rem 0 0; padding: 0; font-size:
  .925rem;
}
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(6.6rem, 1fr)); gap: .6rem; margin: 0; padding: 0;
  list-style: none;
}
.tiles li { background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.55rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { font-size: .85rem; color: var(--quiet); }
.tiles .critical { border-top: 4px solid var(--critical); } .tiles .high { border-top: 4px solid var(--high); }
.tiles .medium { border-top: 4px solid var(--medium); } .tiles .low { border-top: 4px solid var(--low); }
.tiles .negligible, .tiles .unknown { border-top: 4px solid var(--negligible); }
.facts {
  margin: .9rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size:
  .925rem;
}
.notice {
  background: var(--warn-ground); border-left: 4px solid var(--warn-line); border-radius: .25rem; padding: .6rem
  .9rem; margin: .9rem 0 0;
}
.notice ul, .plain { margin: 0; padding-left: 1.1rem; }
.package {
  background: var(--paper); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 1rem; padding: .9rem
  1rem .4rem;
}
.package > p { font-size: .9rem; }
.fix code { background: var(--ground); border: 1px solid var(--line); border-radius: .3rem; padding: .1rem .4rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 .4rem; font-size: .925rem; }
th {
  text-align: left; font-weight: 600; font-size: .8rem; color: var(--quiet); padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line);
}
td {
  vertical-align: top; padding: .5rem .6rem .5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere;
}
tbody tr:last-child > td { border-bottom: 0; }
td.number, td.severity, td.identity {
  white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal;
}
.badge {
  display: inline-block; border-radius: .3rem; padding: .05rem .45rem; font-size: .8rem; font-weight: 600; color:
  var(--on); white-space: nowrap;
}
.badge.critical { background: var(--critical); } .badge.high { background: var(--high); }
.badge.medium { background: var(--medium); } .badge.low { background: var(--low); }
.badge.negligible, .badge.unknown { background: var(--negligible); }
.mark {
  display: inline-block; border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; font-size: .78rem;
  font-weight: 600; color: var(--critical); white-space: nowrap;
}
.mark.calm { color: var(--quiet); }
details { margin-top: .2rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--link); width: max-content; max-width: 100%; }
details .text { white-space: pre-line; overflow-wrap: anywhere; max-width: 70ch; }
details dl { margin: .4rem 0; display: grid; grid-template-columns: max-content 1fr; gap: .15rem .8rem; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
footer {
  margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .8rem; font-size: .85rem; color: var(--quiet);
  overflow-wrap: anywhere;
}
.flaws { table-layout: fixed; }
.flaws .severity { width: 6.5rem; }
.flaws .vulnerability { width: 11.5rem; }
.flaws .score, .flaws .epss { width: 4.25rem; }
.flaws .fixed-in { width: 12rem; }
@media (max-width: 44rem) {
  body { padding: 0 .75rem 2rem; }
  .package { padding: .8rem .8rem .3rem; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { position: absolute; left: -99rem; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  tbody tr:last-child { border-bottom: 0; }
  td { border: 0; padding: .1rem 0; }
  .flaws td.severity, td.identity, td.number { display: inline-block; width: auto; margin-right: .75rem; }
  td[data-label]::before { content: attr(data-label) " "; color: var(--quiet); font-size: .85rem; }
  td:empty { display: none; }
  details dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin: 0 0 .35rem; }
}
@media print {
  :root {
    --paper: #ffffff; --ground: #ffffff; --ink: #000000; --quiet: #444444; --line: #bbbbbb; --link: #000000;
    --critical: #8b0f2b; --high: #b3390b; --medium: #7a5700; --low: #1d5d9b; --negligible: #57606a; --unknown: #57606a;
    --on: #ffffff; --warn-ground: #ffffff; --warn-line: #888888;
  }
  @page { margin: 16mm 14mm; }
  html { font-size: 9pt; }
  body { padding: 0 1px; }
  header, main, footer { max-width: none; }
  nav, .skip { display: none; }
  h2, h3 { break-after: avoid; }
  .tiles { grid-template-columns: repeat(6, 1fr); }
  .tiles li, .package { border-radius: 0; }
  .package > h3, .package > p { break-after: avoid; }
  .tiles li { break-inside: avoid; }
  thead { display: table-header-group; }
  summary { display: none; }
  .flaws .fixed-in { width: 9rem; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { text-decoration: none; }
}
"""
