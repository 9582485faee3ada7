/** How an exported page looks: on its own in a browser, in the dark, on paper. The Writer's fonts are not in it. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #22211e; --soft: #5f5b53; --line: #d8d3c7; --accent: #1f5f7e; --sunken: #f2f0ea; }
@media (prefers-color-scheme: dark) { :root { --paper: #17181a; --ink: #e6e3dc; --soft: #a9a59b; --line: #3c3e43; --accent: #8cc3dd; --sunken: #202226; } }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 1.125rem/1.6 Charter, "Source Serif 4", Georgia, serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-inline-size: 42rem; margin-inline: auto; padding: 3rem 1.25rem 5rem; overflow-wrap: anywhere; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin-block: 2em 0.6em; text-wrap: balance; }
h1 { font-size: 1.9rem; margin-block-start: 0; }
h2 { font-size: 1.35rem; }
h3 { font-size: 1.15rem; }
h4, h5, h6 { font-size: 1rem; }
p, ul, ol, pre, blockquote, .table { margin-block: 0 1em; }
.by { color: var(--soft); margin-block-end: 2.5em; }
ul, ol { padding-inline-start: 1.6em; }
li > ul, li > ol { margin-block: 0; }
li.task { list-style: none; margin-inline-start: -1.4em; }
blockquote { margin-inline: 0; padding-inline-start: 1.1em; border-inline-start: 3px solid var(--line); color: var(--soft); }
blockquote > :last-child { margin-block-end: 0; }
code, pre { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: 0.85em; }
code { padding: 0.1em 0.3em; border-radius: 4px; background: var(--sunken); }
pre { padding: 0.9em 1.1em; border-radius: 8px; background: var(--sunken); overflow-x: auto; }
pre code { padding: 0; background: none; font-size: inherit; overflow-wrap: normal; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.95em; overflow-wrap: normal; }
th, td { padding: 0.35em 0.8em; border-block-end: 1px solid var(--line); text-align: start; vertical-align: top; }
th { border-block-end-width: 2px; }
.center { text-align: center; }
.end { text-align: end; }
img { max-inline-size: 100%; block-size: auto; border-radius: 4px; }
hr { border: 0; border-block-start: 1px solid var(--line); margin-block: 2.5em; }
a { color: var(--accent); text-underline-offset: 0.2em; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
sup { line-height: 0; font-size: 0.72em; }
sup a { padding-inline: 0.15em; text-decoration: none; }
:target { background: color-mix(in srgb, var(--accent) 18%, transparent); scroll-margin-block-start: 2rem; }
.bibliography { padding: 0; list-style: none; }
.bibliography li { margin-block-end: 0.6em; padding-inline-start: 1.6em; text-indent: -1.6em; }
.notes { margin-block-start: 3em; border-block-start: 1px solid var(--line); font-size: 0.9em; }
.notes p { margin-block-end: 0.5em; }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #333; --line: #999; --accent: #000; --sunken: #f4f4f4; }
  html { font-size: 11pt; }
  main { max-inline-size: none; padding: 0; }
  h1, h2, h3, h4, h5, h6 { break-after: avoid; }
  pre, blockquote, table, img { break-inside: avoid; }
  .back { display: none; }
  :target { background: none; }
}
`;

/** What the page's policy knows it by; a test compares them. */
export const STYLE_HASH = "sha256-Yv0NVWXgy8BrYh3uy4sUqmFsRzfBfH0rTlourHpb5kU=";
