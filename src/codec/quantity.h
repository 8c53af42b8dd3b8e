/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quantities as people write them in scenarios: 1h30m, 250us; 20k, 1.5M; 500/s, 90/m; 30%.
 *
 * A unit is required where there is more than one, and is of the right kind: 5s is no rate. Numbers
 * are decimal, not negative, without exponents; k, M and G are powers of 1000. Values come as
 * doubles in seconds, pieces, pieces a second, and shares of 1. Pure.
 */
#ifndef HF_CODEC_QUANTITY_H
#define HF_CODEC_QUANTITY_H

enum hf_quantity {
    HF_QUANTITY_DURATION, /* us, ms, s, m, h, d; several from the largest down: 1h30m */
    HF_QUANTITY_COUNT,    /* a number, and k, M or G */
    HF_QUANTITY_RATE,     /* a count, and /s, /m, /h or /d */
    HF_QUANTITY_SHARE,    /* a number and % */
    HF_QUANTITY_RATIO,    /* a number: 1.1 */
};

enum { HF_QUANTITY_TEXT_MAX = 40 };

/* Values above this are refused: HF_ELIMIT. */
#define HF_QUANTITY_MAX 1e15

/* HF_EMALF for what is no quantity of that kind. */
int hf_quantity_parse(const char *text, enum hf_quantity kind, double *ret_value);

/* How one of that kind is written: "a duration, such as 250ms, 2s or 1h30m". */
const char *hf_quantity_expected(enum hf_quantity kind);

/* In few digits, as hf_quantity_parse reads it: 5400 is "1h30m", 1000000 "1M". */
void hf_quantity_text(double value, enum hf_quantity kind, char ret_text[HF_QUANTITY_TEXT_MAX]);

#endif
