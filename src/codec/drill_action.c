/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Actions and rules of a scenario.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_reader.h"

/* What a verb needs beside its target. */
enum value_kind {
    VALUE_NONE,
    VALUE_ANSWER,
    VALUE_QUEUE,
    VALUE_BOOL, /* true where it is left out */
    VALUE_SECONDS,
    VALUE_RATE,
    VALUE_COUNT,
    VALUE_SHARE,
    VALUE_RATIO,
};

struct verb {
    enum value_kind value;
    bool is_scaled;
    bool has_count, needs_count;
    enum hf_drill_part other; /* a second kind of target, or NONE */
};

static const struct verb verbs[HF_DRILL_VERBS] = {
    [HF_DRILL_ANSWER] = {.value = VALUE_ANSWER},
    [HF_DRILL_TTL] = {.value = VALUE_SECONDS},
    [HF_DRILL_FLUSH] = {.has_count = true},
    [HF_DRILL_OVERRIDE] = {.value = VALUE_BOOL},
    [HF_DRILL_RATE] = {.value = VALUE_RATE, .is_scaled = true},
    [HF_DRILL_WORKERS] = {.value = VALUE_COUNT, .is_scaled = true},
    [HF_DRILL_SPEED] = {.value = VALUE_SHARE},
    [HF_DRILL_SLOW_NEXT] = {.value = VALUE_RATIO, .has_count = true, .needs_count = true},
    [HF_DRILL_THROTTLE] = {.value = VALUE_RATE, .is_scaled = true},
    [HF_DRILL_QUEUE_BOUND] = {.value = VALUE_COUNT, .is_scaled = true},
    [HF_DRILL_DISCIPLINE] = {.value = VALUE_QUEUE},
    [HF_DRILL_RESTART] = {.value = VALUE_NONE},
    [HF_DRILL_RETRIES] = {.value = VALUE_COUNT, .other = HF_DRILL_PART_MANAGER},
    [HF_DRILL_CACHE_LOSE] = {.value = VALUE_SHARE, .other = HF_DRILL_PART_CLIENT},
    [HF_DRILL_MANAGER_STOP] = {.value = VALUE_BOOL},
    [HF_DRILL_MANAGER_RATE] = {.value = VALUE_RATE, .is_scaled = true},
    [HF_DRILL_LAUNCH] = {.is_scaled = true, .has_count = true, .needs_count = true},
    [HF_DRILL_FAIL] = {.value = VALUE_SHARE},
    [HF_DRILL_FAILOVER] = {.value = VALUE_SHARE},
    [HF_DRILL_READY_RATE] = {.value = VALUE_RATE, .is_scaled = true},
    [HF_DRILL_CHECKERS] = {.value = VALUE_COUNT, .is_scaled = true},
};

enum action_key { ACTION_AT, ACTION_NAME, ACTION_TO, ACTION_COUNT, ACTION_VERBS };
enum { ACTION_KEYS = ACTION_VERBS + HF_DRILL_VERBS };

static bool read_value(struct hf_drill_reading *reading, uint32_t node, const struct verb *verb,
                       double *ret_value)
{
    static const enum hf_quantity quantities[] = {[VALUE_SECONDS] = HF_QUANTITY_DURATION,
                                                  [VALUE_RATE] = HF_QUANTITY_RATE,
                                                  [VALUE_SHARE] = HF_QUANTITY_SHARE,
                                                  [VALUE_RATIO] = HF_QUANTITY_RATIO};
    uint32_t word;
    bool truth = true;
    switch (verb->value) {
    case VALUE_NONE:
        hf_expected(reading->reader, node, "nothing: this action takes no \"to\"");
        return false;
    case VALUE_ANSWER:
    case VALUE_QUEUE:
        word = hf_read_word(reading->reader, node,
                            verb->value == VALUE_ANSWER ? hf_drill_answer_words
                                                        : hf_drill_queue_words);
        *ret_value = word;
        return word != UINT32_MAX;
    case VALUE_BOOL:
        if (!hf_drill_read_bool(reading, node, &truth)) {
            return false;
        }
        *ret_value = truth ? 1 : 0;
        return true;
    case VALUE_COUNT:
        return hf_drill_read_count(reading, node, verb->is_scaled, UINT32_MAX, ret_value);
    case VALUE_SECONDS:
    case VALUE_RATE:
    case VALUE_SHARE:
    case VALUE_RATIO:
        break;
    }
    if (!hf_drill_read_quantity(reading, node, quantities[verb->value], ret_value)) {
        return false;
    }
    *ret_value *= verb->is_scaled ? reading->scale : 1;
    return true;
}

static void read_target(struct hf_drill_reading *reading, uint32_t node, enum hf_drill_verb verb,
                        struct hf_drill_action *action)
{
    enum hf_drill_part part = hf_drill_verb_part(verb);
    enum hf_drill_part other = verbs[verb].other;
    const char *text = hf_tree_text(reading->tree, node);
    if (other != HF_DRILL_PART_NONE &&
        hf_drill_find(&reading->file->scenario, other, text) != HF_DRILL_NONE) {
        part = other;
    }
    action->verb = (uint8_t)verb;
    action->part = (uint8_t)part;
    action->target = hf_drill_read_ref(reading, node, part);
}

static void key_name(enum hf_drill_verb verb, char ret_name[32])
{
    (void)snprintf(ret_name, 32, "%s", hf_drill_verb_name(verb));
    for (char *at = ret_name; (at = strchr(at, '-')) != NULL;) {
        *at = '_';
    }
}

/* What is done: one of the verbs, and what goes with it. */
static void read_deed(struct hf_drill_reading *reading, uint32_t node, const uint32_t *values,
                      struct hf_drill_action *action)
{
    struct hf_reader *reader = reading->reader;
    int found = -1;
    for (int i = 0; i < HF_DRILL_VERBS; i++) {
        if (values[ACTION_VERBS + i] != 0) {
            if (found >= 0) {
                hf_problem(reader, node, "found two things to do, %s and %s, expected one",
                           hf_drill_verb_name((enum hf_drill_verb)found),
                           hf_drill_verb_name((enum hf_drill_verb)i));
                return;
            }
            found = i;
        }
    }
    if (found < 0) {
        hf_problem(reader, node,
                   "found nothing to do, expected such as answer: NAME, "
                   "throttle: SERVICE or restart: SERVICE");
        return;
    }
    const struct verb *verb = &verbs[found];
    char key[32];
    key_name((enum hf_drill_verb)found, key);
    hf_enter(reader, key);
    read_target(reading, values[ACTION_VERBS + found], (enum hf_drill_verb)found, action);
    hf_leave(reader);
    action->value = 1;
    if (values[ACTION_TO] != 0) {
        hf_enter(reader, "to");
        (void)read_value(reading, values[ACTION_TO], verb, &action->value);
        hf_leave(reader);
    } else if (verb->value > VALUE_BOOL || verb->value == VALUE_ANSWER ||
               verb->value == VALUE_QUEUE) {
        hf_missing(reader, node, "to", "what it becomes");
    }
    double count = 0;
    if (values[ACTION_COUNT] != 0) {
        hf_enter(reader, "count");
        if (!verb->has_count) {
            hf_expected(reader, values[ACTION_COUNT], "no count: this action takes none");
        } else if (hf_drill_read_count(reading, values[ACTION_COUNT], verb->is_scaled, UINT32_MAX,
                                       &count)) {
            action->count = (uint32_t)count;
        }
        hf_leave(reader);
    } else if (verb->needs_count) {
        hf_missing(reader, node, "count", "how many");
    }
}

/* The map of an action; false when it is none. */
static bool read_action_map(struct hf_drill_reading *reading, uint32_t node, bool is_timed,
                            uint32_t *ret_values)
{
    char names[HF_DRILL_VERBS][32];
    struct hf_key keys[ACTION_KEYS] = {[ACTION_AT] = {.name = "at"},
                                       [ACTION_NAME] = {.name = "name"},
                                       [ACTION_TO] = {.name = "to"},
                                       [ACTION_COUNT] = {.name = "count"}};
    for (int i = 0; i < HF_DRILL_VERBS; i++) {
        key_name((enum hf_drill_verb)i, names[i]);
        keys[ACTION_VERBS + i] = (struct hf_key){.name = names[i]};
    }
    if (!hf_read_map(reading->reader, node, keys, ACTION_KEYS, NULL, ret_values)) {
        return false;
    }
    if (!is_timed && ret_values[ACTION_AT] != 0) {
        hf_problem(reading->reader, ret_values[ACTION_AT],
                   "found a time, expected none: a rule says when");
        return false;
    }
    return true;
}

static void read_action(struct hf_drill_reading *reading, uint32_t node,
                        struct hf_drill_action *action)
{
    uint32_t values[ACTION_KEYS];
    double seconds = 0;
    if (!read_action_map(reading, node, true, values)) {
        return;
    }
    if (values[ACTION_AT] == 0) {
        hf_missing(reading->reader, node, "at", "the time since the start, such as 18m");
    } else {
        hf_enter(reading->reader, "at");
        if (hf_drill_read_quantity(reading, values[ACTION_AT], HF_QUANTITY_DURATION, &seconds)) {
            action->at_us = (uint64_t)(seconds * 1e6 + 0.5);
        }
        hf_leave(reading->reader);
    }
    read_deed(reading, node, values, action);
}

void hf_drill_read_actions(struct hf_drill_reading *reading, uint32_t node)
{
    struct hf_reader *reader = reading->reader;
    struct hf_drill_scenario *scenario = &reading->file->scenario;
    if (hf_tree_at(reading->tree, node)->kind != HF_TREE_LIST) {
        hf_expected(reader, node,
                    "a list of actions, such as [ { at: 18m, answer: db, to: empty } ]");
        return;
    }
    for (uint32_t at = hf_first(reader, node); at != 0 && !reader->stopped;
         at = hf_next(reader, at)) {
        if (scenario->action_count == HF_DRILL_ACTIONS_MAX) {
            hf_problem(reader, at, "found more than %d actions", HF_DRILL_ACTIONS_MAX);
            return;
        }
        char place[16];
        (void)snprintf(place, sizeof(place), "[%u]", scenario->action_count + 1U);
        hf_enter(reader, place);
        reading->nodes[HF_DRILL_PART_ACTION][scenario->action_count] = at;
        read_action(reading, at, &scenario->actions[scenario->action_count++]);
        hf_leave(reader);
    }
}

enum rule_key { RULE_MEASURE, RULE_OF, RULE_ABOVE, RULE_BELOW, RULE_DO, RULE_NODES };

static const struct hf_drill_field rule_fields[] = {
    [RULE_MEASURE] = {.key = "measure", .field = "measure"},
    [RULE_OF] = {.key = "of", .field = "subject"},
    [RULE_ABOVE] = {.key = "above", .field = "limit"},
    [RULE_BELOW] = {.key = "below", .field = "limit"},
    [RULE_DO] = {.key = "do", .field = "action"},
    [RULE_NODES] = {.key = "from",
                    .field = "from_us",
                    .offset = offsetof(struct hf_drill_rule, from_us),
                    .kind = HF_FIELD_US},
    {.key = "until",
     .field = "until_us",
     .offset = offsetof(struct hf_drill_rule, until_us),
     .kind = HF_FIELD_US},
    {.key = "for",
     .field = "for_us",
     .offset = offsetof(struct hf_drill_rule, for_us),
     .kind = HF_FIELD_US},
    {.key = "pause",
     .field = "pause_us",
     .offset = offsetof(struct hf_drill_rule, pause_us),
     .kind = HF_FIELD_US},
    {.key = "times",
     .field = "firings_max",
     .offset = offsetof(struct hf_drill_rule, firings_max),
     .kind = HF_FIELD_U32},
};
const struct hf_drill_table hf_drill_rule_table = {rule_fields,
                                                   sizeof(rule_fields) / sizeof(rule_fields[0])};

/* What is measured, and the limit. */
static void read_condition(struct hf_drill_reading *reading, uint32_t node, const uint32_t *values,
                           struct hf_drill_rule *rule)
{
    struct hf_reader *reader = reading->reader;
    const char *words[HF_DRILL_MEASURES + 1] = {NULL};
    for (int i = 0; i < HF_DRILL_MEASURES; i++) {
        words[i] = hf_drill_measure_name((enum hf_drill_measure)i);
    }
    if (values[RULE_MEASURE] == 0 || values[RULE_OF] == 0) {
        hf_missing(reader, node, values[RULE_MEASURE] == 0 ? "measure" : "of",
                   "what is measured, such as measure: queue-length, of: db");
        return;
    }
    hf_enter(reader, "measure");
    uint32_t measure = hf_read_word(reader, values[RULE_MEASURE], words);
    hf_leave(reader);
    if (measure == UINT32_MAX) {
        return;
    }
    rule->measure = (uint8_t)measure;
    hf_enter(reader, "of");
    rule->subject = hf_drill_read_ref(reading, values[RULE_OF],
                                      hf_drill_measure_part((enum hf_drill_measure)measure));
    hf_leave(reader);
    rule->above = values[RULE_ABOVE] != 0;
    uint32_t limit = values[rule->above ? RULE_ABOVE : RULE_BELOW];
    if (limit == 0 || (rule->above && values[RULE_BELOW] != 0)) {
        hf_problem(reader, node, "found %s, expected one of above and below",
                   limit == 0 ? "no limit" : "two limits");
        return;
    }
    hf_enter(reader, rule->above ? "above" : "below");
    if (measure == HF_DRILL_QUEUE_LENGTH) {
        (void)hf_drill_read_count(reading, limit, true, UINT32_MAX, &rule->limit);
    } else {
        (void)hf_drill_read_quantity(reading, limit, HF_QUANTITY_SHARE, &rule->limit);
    }
    hf_leave(reader);
}

static void read_rule(struct hf_drill_reading *reading, uint32_t node, struct hf_drill_rule *rule)
{
    struct hf_reader *reader = reading->reader;
    uint32_t values[HF_READER_KEYS_MAX];
    uint32_t deed[ACTION_KEYS];
    if (!hf_drill_read_row(reading, node, &hf_drill_rule_table, rule, values)) {
        return;
    }
    read_condition(reading, node, values, rule);
    if (values[RULE_DO] == 0) {
        hf_missing(reader, node, "do", "what it does, such as { throttle: db, to: 500/s }");
        return;
    }
    hf_enter(reader, "do");
    if (read_action_map(reading, values[RULE_DO], false, deed)) {
        read_deed(reading, values[RULE_DO], deed, &rule->action);
    }
    hf_leave(reader);
}

void hf_drill_read_rules(struct hf_drill_reading *reading, uint32_t node)
{
    struct hf_reader *reader = reading->reader;
    struct hf_drill_scenario *scenario = &reading->file->scenario;
    if (hf_tree_at(reading->tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node, "a map of rules, each with its name as the key");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0 && !reader->stopped;
         key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        const char *name = hf_read_name(reader, key, "the name of a rule");
        if (name == NULL) {
            continue;
        }
        if (scenario->rule_count == HF_DRILL_RULES_MAX) {
            hf_problem(reader, key, "found more than %d rules", HF_DRILL_RULES_MAX);
            return;
        }
        struct hf_drill_rule *rule = &scenario->rules[scenario->rule_count];
        (void)snprintf(rule->label, sizeof(rule->label), "%s", name);
        reading->nodes[HF_DRILL_PART_RULE][scenario->rule_count++] = value;
        hf_enter(reader, name);
        read_rule(reading, value, rule);
        hf_leave(reader);
    }
}

void hf_drill_action_text(const struct hf_drill_scenario *scenario,
                          const struct hf_drill_action *action, char ret_text[HF_DRILL_WORDS_MAX])
{
    static const enum hf_quantity quantities[] = {[VALUE_SECONDS] = HF_QUANTITY_DURATION,
                                                  [VALUE_RATE] = HF_QUANTITY_RATE,
                                                  [VALUE_COUNT] = HF_QUANTITY_COUNT,
                                                  [VALUE_SHARE] = HF_QUANTITY_SHARE,
                                                  [VALUE_RATIO] = HF_QUANTITY_RATIO};
    const struct verb *verb = &verbs[action->verb];
    char value[HF_QUANTITY_TEXT_MAX] = "";
    const char *word = value;
    if (verb->value == VALUE_ANSWER) {
        word = hf_drill_answer_words[(uint32_t)action->value];
    } else if (verb->value == VALUE_QUEUE) {
        word = hf_drill_queue_words[(uint32_t)action->value];
    } else if (verb->value == VALUE_BOOL) {
        word = action->value != 0 ? "begins" : "ends";
    } else if (verb->value != VALUE_NONE) {
        hf_quantity_text(action->value, quantities[verb->value], value);
    }
    char count[HF_QUANTITY_TEXT_MAX] = "";
    if (action->count > 0) {
        hf_quantity_text(action->count, HF_QUANTITY_COUNT, count);
    }
    (void)snprintf(ret_text, HF_DRILL_WORDS_MAX, "%s %s%s%s%s%s",
                   hf_drill_verb_name((enum hf_drill_verb)action->verb),
                   hf_drill_label(scenario, (enum hf_drill_part)action->part, action->target),
                   word[0] != 0 ? ": " : "", word, count[0] != 0 ? ", count " : "", count);
}
