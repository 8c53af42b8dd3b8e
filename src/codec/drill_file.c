/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scenario file as a whole: what is chosen of it, and what the engine says of it.
 */
#include "codec/drill_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "codec/drill_reader.h"

static const char advice[] = "scenarios are small";

enum { FILE_ARENA_MAX = 64 << 20 };

/* --- remedies and settings: what is laid over the file --- */

static const char *text_at(struct hf_drill_reading *reading, uint32_t node, const char *expected)
{
    const char *text = node == 0 ? NULL : hf_read_text(reading->reader, node, expected);
    return text == NULL ? "" : hf_pack_text(reading->reader, text);
}

/* Notes what the file offers. */
static void list_remedies(struct hf_drill_reading *reading, uint32_t node)
{
    struct hf_reader *reader = reading->reader;
    if (hf_tree_at(reading->tree, node)->kind != HF_TREE_MAP) {
        hf_expected(reader, node, "a map of remedies, each with its name as the key");
        return;
    }
    uint32_t value;
    for (uint32_t key = hf_first(reader, node); key != 0; key = hf_next(reader, value)) {
        value = hf_next(reader, key);
        const char *name = hf_read_name(reader, key, "the name of a remedy");
        if (name == NULL) {
            continue;
        }
        if (reading->file->remedy_count == HF_DRILL_REMEDIES_MAX) {
            hf_problem(reader, key, "found more than %d remedies", HF_DRILL_REMEDIES_MAX);
            return;
        }
        if (hf_tree_at(reading->tree, value)->kind != HF_TREE_MAP || strcmp(name, "all") == 0) {
            hf_expected(reader, strcmp(name, "all") == 0 ? key : value,
                        "the parts of the scenario that change (\"all\" is no name)");
            continue;
        }
        struct hf_drill_remedy *remedy = &reading->file->remedies[reading->file->remedy_count++];
        remedy->name = hf_pack_text(reader, name);
        remedy->about = text_at(reading, hf_tree_find(reading->tree, value, "about"), "a text");
    }
}

static void lay_over(struct hf_drill_reading *reading, uint32_t remedies, const char *name)
{
    hf_tree_merge(reading->tree, reading->root, hf_tree_find(reading->tree, remedies, name));
}

static void unknown_remedy(struct hf_drill_reading *reading, const char *name)
{
    struct hf_nearest nearest = {.text = name};
    char hint[HF_SHOWN_MAX];
    for (uint32_t i = 0; i < reading->file->remedy_count; i++) {
        hf_nearest_try(&nearest, reading->file->remedies[i].name);
    }
    hf_problem(reading->reader, hf_tree_find(reading->tree, reading->root, "remedies"),
               "found no remedy \"%s\" in this file%s", name, hf_nearest_hint(&nearest, hint));
}

/* names: one or more, '+' between them. */
static void choose_remedies(struct hf_drill_reading *reading, uint32_t node, const char *names)
{
    bool is_all = strcmp(names, "all") == 0;
    for (uint32_t i = 0; is_all && i < reading->file->remedy_count; i++) {
        lay_over(reading, node, reading->file->remedies[i].name);
    }
    while (!is_all && *names != 0) {
        char name[HF_CONFIG_NAME_MAX + 1];
        size_t size = strcspn(names, "+");
        (void)snprintf(name, sizeof(name), "%.*s", (int)size, names);
        bool found = false;
        for (uint32_t i = 0; i < reading->file->remedy_count; i++) {
            found = found || strcmp(reading->file->remedies[i].name, name) == 0;
        }
        if (found) {
            lay_over(reading, node, name);
        } else {
            unknown_remedy(reading, name);
        }
        names += size + (names[size] == '+');
    }
}

/* ", expected one of a, b, c" for the section that a path begins with; "" where it has none, and
 * where what is missing is there: then it has no such key. */
static const char *parts_hint(const struct hf_drill_reading *reading, const char *path,
                              const char *missing, char ret_text[HF_SHOWN_MAX])
{
    char section[HF_CONFIG_NAME_MAX + 1];
    (void)snprintf(section, sizeof(section), "%.*s", (int)strcspn(path, "."), path);
    uint32_t map = hf_tree_find(reading->tree, reading->root, section);
    size_t size = 0;
    ret_text[0] = 0;
    if (map == 0 || hf_tree_at(reading->tree, map)->kind != HF_TREE_MAP ||
        hf_tree_find(reading->tree, map, missing) != 0) {
        return ret_text;
    }
    for (uint32_t key = hf_tree_at(reading->tree, map)->child; key != 0 && size < HF_SHOWN_MAX;) {
        size += (size_t)snprintf(ret_text + size, HF_SHOWN_MAX - size, "%s%s",
                                 size == 0 ? ", expected one of " : ", ",
                                 hf_tree_text(reading->tree, key));
        key = hf_tree_at(reading->tree, hf_tree_at(reading->tree, key)->next)->next;
    }
    if (size >= HF_SHOWN_MAX) {
        (void)snprintf(ret_text + HF_SHOWN_MAX - 4, 4, "...");
    }
    return ret_text;
}

static void set_all(struct hf_drill_reading *reading, const struct hf_drill_choice *choice)
{
    char hint[HF_SHOWN_MAX];
    for (uint32_t i = 0; i < choice->setting_count; i++) {
        const struct hf_drill_setting *setting = &choice->settings[i];
        const char *missing = NULL;
        if (hf_tree_set(reading->tree, reading->root, setting->path, setting->value, &missing) ==
            0) {
            bool is_part = missing != setting->path && strchr(missing, '.') != NULL;
            hf_problem(reading->reader, 0, "%s=%s: found nothing called \"%s\" that can be set%s",
                       setting->path, setting->value, missing,
                       is_part ? parts_hint(reading, setting->path, missing, hint) : "");
        }
    }
}

/* --- what is said of the scenario itself --- */

/* UINT32_MAX: they are none. */
static uint32_t two_digits(const char *text)
{
    bool are_digits = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';
    return are_digits ? (uint32_t)(10 * (text[0] - '0') + text[1] - '0') : UINT32_MAX;
}

/* "23:30 PDT" */
static void read_clock(struct hf_drill_reading *reading, uint32_t node)
{
    const char *text = hf_tree_text(reading->tree, node);
    enum { USED = 5, ZONE_MAX = 7 };
    uint32_t hours = two_digits(text);
    uint32_t minutes = hours <= 23 && text[2] == ':' ? two_digits(text + 3) : UINT32_MAX;
    if (minutes > 59 || (text[USED] != 0 && text[USED] != ' ') ||
        strlen(text) > (size_t)USED + 1 + ZONE_MAX) {
        hf_expected(reading->reader, node,
                    "a time of day in quotes and perhaps its zone, such as \"23:30 PDT\"");
        return;
    }
    reading->file->has_clock = true;
    reading->file->clock_s = (hours * 60 + minutes) * 60;
    reading->file->clock_zone = hf_pack_text(reading->reader, text + USED + (text[USED] == ' '));
}

static void read_head(struct hf_drill_reading *reading)
{
    struct hf_drill_scenario *scenario = &reading->file->scenario;
    uint32_t label = hf_tree_find(reading->tree, reading->root, "scenario");
    uint32_t clock = hf_tree_find(reading->tree, reading->root, "clock");
    hf_enter(reading->reader, "scenario");
    const char *text = label == 0 ? NULL : hf_read_name(reading->reader, label, "a name");
    hf_leave(reading->reader);
    if (label == 0) {
        hf_missing(reading->reader, reading->root, "scenario", "the name of the scenario");
    } else if (text != NULL) {
        (void)snprintf(scenario->label, sizeof(scenario->label), "%s", text);
    }
    if (clock != 0) {
        hf_enter(reading->reader, "clock");
        read_clock(reading, clock);
        hf_leave(reading->reader);
    }
}

static void read_root(struct hf_drill_reading *reading)
{
    uint32_t nodes[HF_READER_KEYS_MAX];
    if (!hf_drill_read_row(reading, reading->root, &hf_drill_root_table, &reading->file->scenario,
                           nodes)) {
        return;
    }
    read_head(reading);
    hf_drill_read_labels(reading);
    hf_drill_read_parts(reading);
    uint32_t actions = hf_tree_find(reading->tree, reading->root, "actions");
    uint32_t rules = hf_tree_find(reading->tree, reading->root, "rules");
    if (actions != 0) {
        hf_enter(reading->reader, "actions");
        hf_drill_read_actions(reading, actions);
        hf_leave(reading->reader);
    }
    if (rules != 0) {
        hf_enter(reading->reader, "rules");
        hf_drill_read_rules(reading, rules);
        hf_leave(reading->reader);
    }
}

/* --- what the engine says --- */

/* The value of the field that the engine names "claim.timeout_us", or 0; ret_key: what YAML says.
 */
static uint32_t find_field(const struct hf_drill_reading *reading, uint32_t node,
                           const struct hf_drill_table *table, const char *field, char *ret_key,
                           size_t key_size)
{
    size_t head = strcspn(field, ".");
    for (uint32_t i = 0; i < table->count; i++) {
        const struct hf_drill_field *at = &table->fields[i];
        bool is_whole = strcmp(at->field, field) == 0;
        bool is_head = strlen(at->field) == head && strncmp(at->field, field, head) == 0;
        if (!is_whole && !is_head) {
            continue;
        }
        uint32_t value = hf_tree_find(reading->tree, node, at->key);
        (void)snprintf(ret_key, key_size, "%s", at->key);
        if (is_whole || at->inner == NULL || field[head] == 0) {
            return value;
        }
        size_t size = strlen(ret_key);
        (void)snprintf(ret_key + size, key_size - size, ".");
        return find_field(reading, value, at->inner, field + head + 1, ret_key + size + 1,
                          key_size - size - 1);
    }
    (void)snprintf(ret_key, key_size, "%s", field);
    return 0;
}

/* The map that a problem is about, and the table of its keys. */
static uint32_t place_of(const struct hf_drill_reading *reading,
                         const struct hf_drill_problem *problem,
                         const struct hf_drill_table **ret_table, const char **ret_field)
{
    enum hf_drill_part part = (enum hf_drill_part)problem->part;
    const struct hf_drill_section *section = hf_drill_section_of(part);
    uint32_t node =
        part == HF_DRILL_PART_NONE ? reading->root : reading->nodes[part][problem->index];
    *ret_table = section != NULL                ? section->table
                 : part == HF_DRILL_PART_RULE   ? &hf_drill_rule_table
                 : part == HF_DRILL_PART_ACTION ? NULL
                                                : &hf_drill_root_table;
    *ret_field = problem->field;
    bool is_call =
        strncmp(problem->field, "call.", 5) == 0 || strncmp(problem->field, "calls.", 6) == 0;
    if (part == HF_DRILL_PART_SERVICE && is_call) {
        uint32_t calls = hf_tree_find(reading->tree, node, "calls");
        uint32_t at = calls == 0 ? 0 : hf_tree_at(reading->tree, calls)->child;
        for (uint32_t i = 0; at != 0 && i < problem->call; i++) {
            at = hf_tree_at(reading->tree, at)->next;
        }
        *ret_table = &hf_drill_call_table;
        *ret_field = strchr(problem->field, '.') + 1;
        return at;
    }
    return node;
}

static void say_problem(struct hf_drill_reading *reading, const struct hf_drill_problem *problem)
{
    struct hf_reader *reader = reading->reader;
    const struct hf_drill_table *table = NULL;
    const char *field = NULL;
    enum hf_drill_part part = (enum hf_drill_part)problem->part;
    uint32_t node = place_of(reading, problem, &table, &field);
    const struct hf_drill_section *section = hf_drill_section_of(part);
    char key[HF_SHOWN_MAX] = "";
    char shown[HF_SHOWN_MAX];
    uint32_t value =
        table == NULL || node == 0 ? 0 : find_field(reading, node, table, field, key, sizeof(key));
    char where[2 * HF_SHOWN_MAX];
    const char *list = part == HF_DRILL_PART_ACTION ? "actions" : "rules";
    if (section != NULL) {
        char call[16] = "";
        if (table == &hf_drill_call_table) {
            (void)snprintf(call, sizeof(call), ".calls[%u]", problem->call + 1U);
        }
        (void)snprintf(where, sizeof(where), "%s.%s%s", section->key,
                       hf_drill_label(&reading->file->scenario, part, problem->index), call);
    } else if (part == HF_DRILL_PART_NONE) {
        where[0] = 0;
    } else {
        (void)snprintf(where, sizeof(where), "%s[%u]", list, problem->index + 1U);
    }
    if (value == 0) {
        (void)snprintf(shown, sizeof(shown), "%.15g", problem->found);
    } else {
        (void)hf_shown(reader, value, shown);
    }
    bool is_absent = value == 0 && problem->found == HF_DRILL_NONE;
    hf_problem(reader, value != 0 ? value : node, "%s%s%s%sfound %s, expected %s", where,
               where[0] != 0 && key[0] != 0 ? "." : "", key,
               where[0] != 0 || key[0] != 0 ? ": " : "", is_absent ? "none" : shown,
               problem->expected);
}

/* A run that would not end, or not fit: said before it begins. */
static void say_limit(struct hf_drill_reading *reading, const struct hf_drill_problem *problem)
{
    const struct hf_drill_scenario *scenario = &reading->file->scenario;
    bool is_memory = strcmp(problem->field, "memory_max_bytes") == 0;
    const char *key = is_memory ? "memory_max" : "events_max";
    uint32_t node = hf_tree_find(reading->tree, reading->root, key);
    uint64_t limit = is_memory ? scenario->memory_max_bytes : scenario->events_max;
    double standard = is_memory ? 4.0 * (1 << 30) : 2e10; /* scenario.h */
    char found[HF_QUANTITY_TEXT_MAX], most[HF_QUANTITY_TEXT_MAX];
    hf_quantity_text(problem->found, HF_QUANTITY_COUNT, found);
    hf_quantity_text(limit == 0 ? standard : (double)limit, HF_QUANTITY_COUNT, most);
    hf_problem(reading->reader, node != 0 ? node : reading->root,
               "%s: found a run of %s %s, expected at most %s", key, found,
               is_memory ? "octets" : "events", most);
}

static void check(struct hf_drill_reading *reading)
{
    struct hf_drill_problem problem = {0};
    int error = hf_drill_check(&reading->file->scenario, &problem);
    if (error == HF_ELIMIT) {
        say_limit(reading, &problem);
        reading->reader->error = HF_ELIMIT;
    } else if (error != HF_OK) {
        say_problem(reading, &problem);
    }
}

/* --- the whole --- */

static void count_hosts(struct hf_drill_file *file)
{
    uint64_t holders = 0, users = 0;
    for (uint32_t i = 0; i < file->scenario.manager_count; i++) {
        holders += file->scenario.managers[i].holders;
    }
    for (uint32_t i = 0; i < file->scenario.client_count; i++) {
        users += file->scenario.clients[i].users;
    }
    file->hosts = holders > 0 ? holders : users;
}

static void read_tree(struct hf_drill_reading *reading, const struct hf_drill_choice *choice)
{
    struct hf_reader *reader = reading->reader;
    uint32_t root = reading->tree->root;
    if (root == 0 || hf_tree_at(reading->tree, root)->kind != HF_TREE_MAP) {
        hf_problem(reader, root,
                   "found no scenario, expected keys such as scenario, length, "
                   "services and clients");
        return;
    }
    reading->root = root;
    uint32_t about = hf_tree_find(reading->tree, root, "about");
    uint32_t remedies = hf_tree_find(reading->tree, root, "remedies");
    reading->file->about = text_at(reading, about, "a text");
    if (remedies != 0) {
        hf_enter(reader, "remedies");
        list_remedies(reading, remedies);
        hf_leave(reader);
    }
    if (choice->remedies != NULL && reader->error == HF_OK) {
        choose_remedies(reading, remedies, choice->remedies);
    }
    set_all(reading, choice);
    if (reader->error == HF_OK) {
        read_root(reading);
    }
    if (reader->error == HF_OK) {
        check(reading);
        count_hosts(reading->file);
    }
}

int hf_drill_file_read_text(const char *text, size_t size, const char *name,
                            const struct hf_drill_choice *choice, struct hf_drill_file **ret_file,
                            struct hf_buf *problems)
{
    struct hf_drill_file *file = calloc(1, sizeof(*file));
    struct hf_reader *reader = calloc(1, sizeof(*reader));
    if (file == NULL || reader == NULL) {
        abort();
    }
    struct hf_tree tree;
    struct hf_rows files = {.row_size = sizeof(const char *)};
    struct hf_drill_reading reading = {.reader = reader,
                                       .tree = &tree,
                                       .file = file,
                                       .scale = choice->scale > 0 ? choice->scale : 1};
    hf_arena_init(&file->arena, FILE_ARENA_MAX);
    hf_drill_scenario_default(&file->scenario);
    hf_reader_begin(reader, &file->arena, &files, name, problems);
    hf_tree_init(&tree);
    file->path = reader->file;
    if (hf_reader_parse(reader, &tree, text, size, advice)) {
        read_tree(&reading, choice);
    }
    int error = reader->error;
    hf_reader_end(reader);
    hf_tree_release(&tree);
    free(files.rows);
    free(reader);
    if (error != HF_OK) {
        hf_drill_file_free(file);
        return error;
    }
    *ret_file = file;
    return HF_OK;
}

int hf_drill_file_read(const char *path, const struct hf_drill_choice *choice,
                       struct hf_drill_file **ret_file, struct hf_buf *problems)
{
    struct hf_buf text;
    hf_buf_init(&text, HF_READER_FILE_MAX);
    int error = hf_read_whole(path, advice, &text, problems);
    if (error == HF_OK) {
        error = hf_drill_file_read_text(hf_buf_text(&text), text.size, path, choice, ret_file,
                                        problems);
    }
    hf_buf_release(&text);
    return error;
}

void hf_drill_file_free(struct hf_drill_file *file)
{
    if (file != NULL) {
        hf_arena_release(&file->arena);
        free(file);
    }
}
