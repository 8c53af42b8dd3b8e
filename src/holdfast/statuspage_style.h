/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The looks of statuspage_html.c. States differ in height as well as in colour. */
#ifndef HF_HOLDFAST_STATUSPAGE_STYLE_H
#define HF_HOLDFAST_STATUSPAGE_STYLE_H

#define HF_STATUSPAGE_STYLE                                                                        \
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1c2128;--dim:#59636e;--rule:#d5dae0;"           \
    "--soft:#f4f6f8;--ok:#2f9e62;--okfg:#11683c;--watch:#4f7fc4;--watchfg:#24569c;"                \
    "--warn:#d99a1b;--warnfg:#7d5200;--bad:#cf3a30;--badfg:#a8241c}\n"                             \
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e4e8ed;--dim:#9aa4b0;"             \
    "--rule:#353d47;--soft:#1c2229;--ok:#3fae74;--okfg:#7fd6a4;--watch:#5f93dc;"                   \
    "--watchfg:#9ec5ff;--warn:#d9a53a;--warnfg:#ffc96f;--bad:#e0564c;--badfg:#ff9a92}}\n"          \
    "*{box-sizing:border-box}\n"                                                                   \
    "body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,"    \
    "\"Segoe UI\",Roboto,\"DejaVu Sans\",sans-serif;overflow-wrap:anywhere}\n"                     \
    "main,header,footer{max-width:56rem;margin:0 auto;padding:0 1.25rem}\n"                        \
    "header{padding-top:2rem}\n"                                                                   \
    "h1{font-size:1.5rem;margin:0 0 1rem}\n"                                                       \
    "h2{font-size:1.15rem;margin:2.2rem 0 .8rem}\n"                                                \
    "h3{font-size:1rem;margin:0}\n"                                                                \
    "a{color:var(--watchfg)}\n"                                                                    \
    ".overall{border-left:.5rem solid var(--c);background:var(--soft);padding:.9rem 1.1rem;"       \
    "font-size:1.15rem;font-weight:600;margin:0}\n"                                                \
    ".made{color:var(--dim);font-size:.9rem;margin:.5rem 0 0}\n"                                   \
    ".operational{--c:var(--ok);--cf:var(--okfg)}.watched{--c:var(--watch);--cf:var(--watchfg)}\n" \
    ".degraded{--c:var(--warn);--cf:var(--warnfg)}.outage{--c:var(--bad);--cf:var(--badfg)}\n"     \
    ".service{border-bottom:1px solid var(--rule);padding:.9rem 0}\n"                              \
    ".top{display:flex;justify-content:space-between;gap:1rem;align-items:baseline}\n"             \
    ".state{color:var(--cf);font-weight:600;white-space:nowrap}\n"                                 \
    ".state::before{content:\"\";display:inline-block;width:.65em;height:.65em;"                   \
    "background:var(--c);margin-right:.45em}\n"                                                    \
    ".watched::before,.watched .state::before{border-radius:50%}\n"                                \
    ".description{color:var(--dim);margin:.1rem 0 0}\n"                                            \
    ".days{display:flex;align-items:flex-end;gap:1px;height:2rem;margin:.6rem 0 .2rem}\n"          \
    ".days i{flex:1;min-width:1px;height:55%;background:var(--ok)}\n"                              \
    ".days .u{background:var(--rule);height:20%}\n"                                                \
    ".days .d{background:var(--warn);height:78%}.days .o{background:var(--bad);height:100%}\n"     \
    ".scale{display:flex;justify-content:space-between;color:var(--dim);font-size:.85rem}\n"       \
    "article{border-left:.3rem solid var(--c);padding:.1rem 0 .1rem 1rem;margin:0 0 1.5rem}\n"     \
    "article p{margin:.2rem 0}\n"                                                                  \
    ".when{color:var(--dim);font-size:.9rem}\n"                                                    \
    ".messages{list-style:none;margin:.6rem 0 0;padding:0}\n"                                      \
    ".messages li{margin:0 0 .6rem}.messages p{white-space:pre-line}\n"                            \
    "footer{color:var(--dim);font-size:.9rem;padding-top:2rem;padding-bottom:2.5rem}\n"            \
    "@media(max-width:30rem){.days i:nth-child(-n+45){display:none}.top{display:block}"            \
    ".long{display:none}}@media(min-width:30.01rem){.short{display:none}}\n"

#endif
