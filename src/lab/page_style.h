/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looks of page.h. Lanes are columns of 1em, one for each actor. */
#ifndef HF_LAB_PAGE_STYLE_H
#define HF_LAB_PAGE_STYLE_H

#define HF_PAGE_STYLE                                                                              \
    ":root{--bg:#fff;--fg:#1c2128;--dim:#5b6470;--rule:#d9dee4;--soft:#f3f5f8;"                    \
    "--bad:#b3261e;--badbg:#fdecea;--warn:#8a4b00;--warnbg:#fff3dc;--good:#12653a;"                \
    "--goodbg:#e5f5ec;--blue:#0b57a4;--bluebg:#e6f0fb}\n"                                          \
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e4e8ed;--dim:#9aa4b0;"             \
    "--rule:#323a44;--soft:#1c2229;--bad:#ff8a80;--badbg:#3c1b1a;--warn:#ffc56b;"                  \
    "--warnbg:#3a2a10;--good:#7fd6a4;--goodbg:#14301f;--blue:#8ec2ff;--bluebg:#152a42}}\n"         \
    "*{box-sizing:border-box}\n"                                                                   \
    "body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,"                 \
    "-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"                                              \
    "main{max-width:82rem;margin:0 auto;padding:1.5rem 1.25rem 3rem}\n"                            \
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .6rem}\n"                                      \
    "h2{font-size:1rem;margin:0 0 .3rem}\n"                                                        \
    "main>p{max-width:60rem;margin:0 0 1rem}\n"                                                    \
    ".sum{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin:0 0 1rem}\n"                  \
    ".sum section{border:1px solid var(--rule);border-top:4px solid var(--bad);"                   \
    "border-radius:4px;padding:.7rem .9rem;background:var(--soft)}\n"                              \
    ".sum section+section{border-top-color:var(--good)}\n"                                         \
    ".sum p{margin:0}\n"                                                                           \
    ".key{color:var(--dim);font-size:.87rem}\n"                                                    \
    ".key i{font-style:normal;margin-left:.5em}\n"                                                 \
    "table{width:100%;border-collapse:collapse;table-layout:fixed}\n"                              \
    "thead th{position:sticky;top:0;background:var(--bg);text-align:left;"                         \
    "padding:.4rem .6rem;border-bottom:2px solid var(--fg);z-index:1}\n"                           \
    "thead th:first-child{width:3.4rem}\n"                                                         \
    "thead small{display:flex;width:calc(var(--lanes)*1.05em);font-size:.8rem;"                    \
    "color:var(--dim);margin-top:.1rem}\n"                                                         \
    "thead small i{width:1.05em;text-align:center;font-style:normal}\n"                            \
    "td,tbody th{vertical-align:top;padding:0 .6rem;border-bottom:1px solid var(--rule)}\n"        \
    "tbody th{text-align:right;color:var(--dim);font-weight:400;padding-top:.4rem;"                \
    "font-variant-numeric:tabular-nums}\n"                                                         \
    "td+td{border-left:1px solid var(--rule)}\n"                                                   \
    ".part th{text-align:left;color:var(--fg);font-weight:600;background:var(--soft);"             \
    "padding:.5rem .6rem}\n"                                                                       \
    ".end th,.end li:last-child span{font-weight:600}\n"                                           \
    "td{background:repeating-linear-gradient(90deg,transparent 0 calc(.5em - .5px),"               \
    "var(--rule) calc(.5em - .5px) calc(.5em + .5px),"                                             \
    "transparent calc(.5em + .5px) 1em) .6rem 0/calc(var(--lanes)*1em) 100% no-repeat}\n"          \
    "ul{list-style:none;margin:0;padding:0}\n"                                                     \
    "li{display:flex;padding:.22rem 0}\n"                                                          \
    "li:first-child{padding-top:.4rem}\n"                                                          \
    "li i{flex:none;background:none;width:calc(var(--lanes)*1em);font-style:normal;"               \
    "margin-right:.6em}\n"                                                                         \
    "li i.l1{text-indent:1em}li i.l2{text-indent:2em}li i.l3{text-indent:3em}li i.l4{"             \
    "text-indent:4em}\n"                                                                           \
    "li.n i{color:var(--dim)}\n"                                                                   \
    ".d,.d i{color:var(--bad)}.r,.r i{color:var(--blue)}\n"                                        \
    "li.d span,li.r span{font-weight:600}\n"                                                       \
    ".a{margin:0;padding:0 0 .4rem calc(var(--lanes)*1em + .2em)}\n"                               \
    "b{display:inline-block;font-weight:400;border:1px solid;border-radius:3px;"                   \
    "padding:0 .4em;margin-right:.4em;font-size:.82rem;white-space:nowrap}\n"                      \
    "b.ok{color:var(--good);border-color:transparent}\n"                                           \
    "b.ok.new{background:var(--goodbg);border-color:currentColor}\n"                               \
    "b.old{color:var(--warn);background:var(--warnbg)}\n"                                          \
    "b.no{color:var(--bad);background:var(--badbg);font-weight:700}\n"                             \
    "footer{margin-top:1.2rem;color:var(--dim);font-size:.85rem}\n"                                \
    "@media(max-width:760px){.sum{grid-template-columns:1fr}thead{display:none}table,"             \
    "tbody,tr,td,tbody th{display:block;width:100%;border:0}tbody th{text-align:left;"             \
    "padding-top:.6rem}tr{border-top:1px solid var(--rule)}td::before{"                            \
    "content:attr(data-side);display:block;padding-left:calc(var(--lanes)*1em + .6em);"            \
    "font-size:.75rem;color:var(--dim)}td+td{border-left:0}}\n"                                    \
    "@media print{thead th{position:static}}\n"

#endif
