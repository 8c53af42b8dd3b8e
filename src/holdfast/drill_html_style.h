/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Style and script of pages. Not for others.
 */
#ifndef HF_HOLDFAST_DRILL_HTML_STYLE_H
#define HF_HOLDFAST_DRILL_HTML_STYLE_H

#define HF_DRILL_STYLE                                                                             \
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b2430;--dim:#5c6875;--rule:#d7dde4;"           \
    "--soft:#f4f6f8;--bad:#b42318;--good:#14713b;--c0:#c2321f;--c1:#1d5fc2;--c2:#1f7a45;"          \
    "--c3:#8a3ab9;--c4:#a86400;--c5:#00798c;--c6:#b3356f;--c7:#5b6b00;--c8:#4b4bb8;--c9:#7a5230;"  \
    "--c10:#2f6f6f;--c11:#666}\n"                                                                  \
    "@media(prefers-color-scheme:dark){:root{--bg:#12171d;--fg:#e4e9ee;--dim:#97a3b0;"             \
    "--rule:#2c3641;--soft:#1a2129;--bad:#ff8a7a;--good:#7fd6a4;--c0:#ff7a66;--c1:#7ab4ff;"        \
    "--c2:#6fd39a;--c3:#d3a1f5;--c4:#f0b04f;--c5:#5fd0e0;--c6:#ff8fc0;--c7:#c3d15a;--c8:#a9a9ff;"  \
    "--c9:#d9ab82;--c10:#7fd0cf;--c11:#b5b5b5}}\n"                                                 \
    "*{box-sizing:border-box}\n"                                                                   \
    "body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,"                 \
    "-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"                                              \
    "main{max-width:76rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}\n"                            \
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}\n"                                      \
    "h2{font-size:1.05rem;margin:1.6rem 0 .5rem}\n"                                                \
    "h3{font-size:.92rem;font-weight:600;margin:.9rem 0 .1rem}\n"                                  \
    "p{max-width:60rem;margin:0 0 .9rem}\n"                                                        \
    ".wide{overflow-x:auto}.wide+p{margin-top:.8rem;color:var(--dim)}\n"                           \
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"                          \
    "th,td{padding:.22rem .8rem .22rem 0;text-align:right;border-bottom:1px solid var(--rule);"    \
    "vertical-align:baseline}\n"                                                                   \
    "th:first-child,td:first-child{text-align:left;font-weight:400}\n"                             \
    "thead th{border-bottom:2px solid var(--fg);font-weight:600}\n"                                \
    "tr.part th{font-weight:600;padding-top:.7rem}\n"                                              \
    "td.bad{color:var(--bad);font-weight:600}td.good{color:var(--good);font-weight:600}\n"         \
    ".key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:.4rem 0;position:sticky;top:0;"      \
    "background:var(--bg);padding:.4rem 0;z-index:1;border-bottom:1px solid var(--rule)}\n"        \
    ".key b{display:inline-block;width:1.4em;height:.28em;margin-right:.4em;"                      \
    "vertical-align:middle;border-radius:2px}\n"                                                   \
    "ol{columns:2 24rem;margin:.3rem 0;padding-left:1.8rem;font-size:.9rem}\n"                     \
    "ol time{color:var(--dim);margin-right:.5em;font-variant-numeric:tabular-nums}\n"              \
    "svg{display:block;width:100%;height:auto}\n"                                                  \
    "svg text{fill:var(--dim);font-size:11px;font-variant-numeric:tabular-nums}\n"                 \
    "svg .grid{stroke:var(--rule);stroke-width:1}\n"                                               \
    "svg .mark{stroke:var(--dim);stroke-width:1;stroke-dasharray:2 3;opacity:.7}\n"                \
    "svg .repaired{stroke:var(--fg);stroke-width:1.5}\n"                                           \
    "svg .at{stroke:var(--fg);stroke-width:1;visibility:hidden}\n"                                 \
    "svg polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}\n"                             \
    "svg .read{font-weight:600;fill:var(--fg)}\n"                                                  \
    "svg .map text{font-size:12px;fill:var(--fg)}svg .map .on{fill:#fff}\n"                        \
    "footer{margin-top:1.5rem;color:var(--dim);font-size:.85rem}\n"                                \
    "@media print{.key{position:static}}\n"

/* A line under the pointer in all charts, and what the curves have there. */
#define HF_DRILL_SCRIPT                                                                            \
    "<script>\n"                                                                                   \
    "const charts=[...document.querySelectorAll('svg[data-s]')];\n"                                \
    "const two=n=>String(Math.floor(n)).padStart(2,'0');\n"                                        \
    "function tell(f){for(const c of charts){const d=c.dataset,x=+d.x+f*d.w,"                      \
    "at=c.querySelector('.at');\n"                                                                 \
    "at.setAttribute('x1',x);at.setAttribute('x2',x);at.style.visibility='visible';\n"             \
    "const s=f*d.s,o=+d.o,out=[o<0?two(s/3600)+'h'+two(s/60%60)+'m':two((o+s)/3600%24)+':'"        \
    "+two((o+s)/60%60)];\n"                                                                        \
    "const seen={};for(const l of c.querySelectorAll('polyline'))for(const p of "                  \
    "l.getAttribute('points').split(' ')){const[a,b]=p.split(',').map(Number);"                    \
    "if(Math.abs(a-x)<2){const v=(+d.b-b)/(d.b-d.t)*d.m;"                                          \
    "seen[l.dataset.n]=(v>=1e6?(v/1e6).toFixed(2)+'M':v>=1e4?(v/1e3).toFixed(1)+'k':"              \
    "v.toFixed(v<10?1:0))+d.u}}\n"                                                                 \
    "for(const n in seen)out.push(n+' '+seen[n]);\n"                                               \
    "c.querySelector('.read').textContent=out.join(' \u00b7 ')}}\n"                                \
    "for(const c of charts)c.addEventListener('pointermove',e=>{const r="                          \
    "c.getBoundingClientRect(),d=c.dataset,x=(e.clientX-r.left)*d.v/r.width;"                      \
    "tell(Math.min(1,Math.max(0,(x-d.x)/d.w)))});\n"                                               \
    "</script>\n"

#endif
