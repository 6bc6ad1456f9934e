"""The style of a page: the system's fonts, light or dark as the reader's system is, good to print."""

from __future__ import annotations

STYLE = """
:root{--ink:#16191f;--dim:#545b64;--paper:#fff;--card:#f4f6f8;--line:#d5dbdb;--plot:#0972d3;--old:#b3541e;
--good:#067f42;--bad:#b0261b;--warn:#8a5300;--warn-paper:#fff8e6}
@media (prefers-color-scheme:dark){:root{--ink:#e9ebed;--dim:#a3adb8;--paper:#10161d;--card:#1a232d;
--line:#3a4754;--plot:#6cb4ff;--old:#ffb37d;--good:#5fd38d;--bad:#ff8a80;--warn:#ffc65c;--warn-paper:#2a2312}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem 1.5rem 4rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
a{color:var(--plot)}
a:focus-visible,[tabindex]:focus-visible,summary:focus-visible{outline:2px solid var(--plot);
outline-offset:2px}
h1{font-size:1.6rem;line-height:1.25;margin:1rem 0 .25rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.75rem 0 .5rem}
p{margin:.4rem 0;max-width:52rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.75rem 0}
.dim{color:var(--dim)}
.verdict{font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
.warnings{background:var(--warn-paper);border-left:4px solid var(--warn);padding:.5rem 1rem;margin:1rem 0}
.warnings h2{border:0;margin:.25rem 0;padding:0;color:var(--warn)}
.warnings ul{margin:.25rem 0;padding-left:1.2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:.75rem 0}
dt{color:var(--dim)}
dd{margin:0}
code,pre{font:.9em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
ul.lines{padding-left:1.2rem;margin:.5rem 0}
.wide{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem;min-width:40%}
caption{text-align:left;color:var(--dim);padding:.25rem 0;caption-side:top}
th,td{padding:.22rem .75rem .22rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--dim);font-weight:600;white-space:nowrap}
tbody th{font-weight:500;min-width:8rem;max-width:22rem;unicode-bidi:isolate}
.numbers td{text-align:right;white-space:nowrap}
.numbers thead th:not(:first-child){text-align:right}
.shapes td:last-child,.shapes thead th:last-child{text-align:left}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.2rem 0}
svg{display:inline-block;vertical-align:middle;overflow:visible}
.shapes svg{width:96px;height:20px}
.shapes path{fill:var(--plot)}
.trend{width:240px;height:48px}
.trend .curve{fill:none;stroke:var(--plot);stroke-width:2}
.trend .now{fill:var(--plot)}
.trend .current{stroke:var(--old);stroke-width:1.5;stroke-dasharray:4 3}
.pair .before{fill:none;stroke:var(--old);stroke-width:1.5}
.bar{width:160px;height:10px}
.bar path{fill:var(--plot)}
footer{margin-top:3rem;color:var(--dim);font-size:.9rem}
@media print{body{max-width:none}details{break-inside:auto}nav{display:none}}
@media (max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}
""".replace("\n", "")
