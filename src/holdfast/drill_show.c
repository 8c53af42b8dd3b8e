/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "holdfast/drill_show.h"

#include <inttypes.h>
#include <string.h>

#include "codec/quantity.h"
#include "holdfast/tool.h"

enum { CURVE_WIDTH_MAX = 60, CURVE_WORD = 9, CURVE_LABEL_MAX = 26, CURVE_SCALE = 12 };

struct shown {
    const struct hf_term *term;
    const struct hf_drill_set *set;
    const struct hf_drill_job *runs;
    struct hf_table table;
};

static const struct hf_drill_scenario *scenario_of(const struct shown *shown, uint32_t run)
{
    return &shown->set->variants[run].file->scenario;
}

static void put_title(struct shown *shown, const char *format, const char *label, const char *what)
{
    hf_table_put(&shown->table, HF_STYLE_BOLD, format, label, what);
    for (uint32_t run = 0; run < shown->set->count; run++) {
        hf_table_put(&shown->table, HF_STYLE_PLAIN, "");
    }
}

static void put_time(struct shown *shown, uint64_t time_us, bool is_trouble)
{
    char text[HF_DRILL_TIME_TEXT_MAX];
    hf_drill_time_text(time_us, text);
    enum hf_style style = time_us == HF_DRILL_NEVER   ? HF_STYLE_BAD
                          : is_trouble && time_us > 0 ? HF_STYLE_WARN
                                                      : HF_STYLE_PLAIN;
    hf_table_put(&shown->table, style, "%s", text);
}

static void put_share(struct shown *shown, double share, double warn_below)
{
    hf_table_put(&shown->table, share < warn_below ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%.1f %%",
                 share * 100);
}

static void put_count(struct shown *shown, uint64_t count)
{
    char text[HF_TOOL_SHORT_MAX];
    hf_tool_count_text(count, text);
    hf_table_put(&shown->table, HF_STYLE_PLAIN, "%s", text);
}

/* --- rows of parts: each row is said for every run --- */

typedef void put_cell(struct shown *shown, uint32_t run, uint32_t part);

static void row(struct shown *shown, const char *title, enum hf_drill_part part, const char *label,
                put_cell *put)
{
    hf_table_put(&shown->table, HF_STYLE_PLAIN, "  %s", title);
    for (uint32_t run = 0; run < shown->set->count; run++) {
        uint32_t at = hf_drill_find(scenario_of(shown, run), part, label);
        if (at == HF_DRILL_NONE) {
            hf_table_put(&shown->table, HF_STYLE_DIM, "-");
        } else {
            put(shown, run, at);
        }
    }
}

static void name_wrong(struct shown *shown, uint32_t run, uint32_t part)
{
    put_time(shown, shown->runs[run].result.name_sums[part].wrong_us, false);
}

static void name_unanswered(struct shown *shown, uint32_t run, uint32_t part)
{
    put_time(shown, shown->runs[run].result.name_sums[part].unanswered_us, true);
}

static void show_names(struct shown *shown)
{
    const struct hf_drill_scenario *first = scenario_of(shown, 0);
    for (uint32_t i = 0; i < first->name_count; i++) {
        const char *label = first->names[i].label;
        put_title(shown, "name %s%s", label, "");
        row(shown, "wrong at its servers", HF_DRILL_PART_NAME, label, name_wrong);
        row(shown, "without answers", HF_DRILL_PART_NAME, label, name_unanswered);
    }
}

static const struct hf_drill_health_summary *health(struct shown *shown, uint32_t run,
                                                    const struct hf_drill_dependent *dependent)
{
    struct hf_drill_dependent other;
    for (uint32_t i = 0;
         hf_drill_dependent_at(scenario_of(shown, run), &shown->runs[run].result, i, &other); i++) {
        if (other.part == dependent->part && strcmp(other.label, dependent->label) == 0) {
            return other.health;
        }
    }
    return NULL;
}

static void show_health(struct shown *shown, const struct hf_drill_dependent *dependent)
{
    static const char *const titles[] = {"time degraded", "time to recover", "lowest share",
                                         "lowest after the repair", "share at the end"};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        hf_table_put(&shown->table, HF_STYLE_PLAIN, "  %s", titles[i]);
        for (uint32_t run = 0; run < shown->set->count; run++) {
            const struct hf_drill_health_summary *at = health(shown, run, dependent);
            double good = scenario_of(shown, run)->good_share;
            if (at == NULL) {
                hf_table_put(&shown->table, HF_STYLE_DIM, "-");
            } else if (i < 2) {
                put_time(shown, i == 0 ? at->degraded_us : at->recover_us, true);
            } else {
                put_share(shown,
                          i == 2   ? at->worst_share
                          : i == 3 ? at->worst_after_share
                                   : at->end_share,
                          good);
            }
        }
    }
}

static void client_amplification(struct shown *shown, uint32_t run, uint32_t part)
{
    hf_table_put(&shown->table, HF_STYLE_PLAIN, "%.2f",
                 shown->runs[run].result.client_sums[part].amplification);
}

static void client_p99(struct shown *shown, uint32_t run, uint32_t part)
{
    put_time(shown, shown->runs[run].result.client_sums[part].latency_p99_us, false);
}

static void manager_lapsed(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.manager_sums[part].lapsed);
}

static void manager_claims(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.manager_sums[part].claims);
}

static void manager_overtaken(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.manager_sums[part].overtaken);
}

static void fleet_removed(struct shown *shown, uint32_t run, uint32_t part)
{
    hf_table_put(&shown->table, HF_STYLE_PLAIN, "%.1f %%",
                 shown->runs[run].result.fleet_sums[part].removed_worst_share * 100);
}

static void fleet_left(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.fleet_sums[part].left);
}

static void fleet_whole(struct shown *shown, uint32_t run, uint32_t part)
{
    (void)run;
    (void)part;
    put_share(shown, 1, 0);
}

/* In no run does a node of this fleet leave: there is nothing to tell. */
static bool stays_whole(const struct shown *shown, const char *label)
{
    for (uint32_t run = 0; run < shown->set->count; run++) {
        uint16_t at = hf_drill_find(scenario_of(shown, run), HF_DRILL_PART_FLEET, label);
        const struct hf_drill_fleet_summary *sum =
            at == HF_DRILL_NONE ? NULL : &shown->runs[run].result.fleet_sums[at];
        if (sum != NULL && (sum->left > 0 || sum->health.worst_share < 1)) {
            return false;
        }
    }
    return true;
}

static void show_dependents(struct shown *shown)
{
    struct hf_drill_dependent at;
    for (uint32_t i = 0;
         hf_drill_dependent_at(scenario_of(shown, 0), &shown->runs[0].result, i, &at); i++) {
        put_title(shown, "%s: %s", at.label, at.what);
        if (at.part == HF_DRILL_PART_FLEET && stays_whole(shown, at.label)) {
            row(shown, "all nodes, all the time", at.part, at.label, fleet_whole);
            continue;
        }
        show_health(shown, &at);
        if (at.part == HF_DRILL_PART_CLIENT) {
            row(shown, "attempts an operation", at.part, at.label, client_amplification);
            row(shown, "latency, 99th percentile", at.part, at.label, client_p99);
        } else if (at.part == HF_DRILL_PART_MANAGER) {
            row(shown, "leases that lapsed", at.part, at.label, manager_lapsed);
            row(shown, "attempts to claim", at.part, at.label, manager_claims);
            row(shown, "overtaken by their time-out", at.part, at.label, manager_overtaken);
        } else {
            row(shown, "healthy capacity removed", at.part, at.label, fleet_removed);
            row(shown, "times that a node left", at.part, at.label, fleet_left);
        }
    }
}

static void service_peak(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.service_sums[part].queue_peak);
}

static void service_wasted(struct shown *shown, uint32_t run, uint32_t part)
{
    const struct hf_drill_service_summary *sum = &shown->runs[run].result.service_sums[part];
    double share = sum->busy_us > 0 ? sum->wasted_us / sum->busy_us : 0;
    hf_table_put(&shown->table, share > 0.5 ? HF_STYLE_WARN : HF_STYLE_PLAIN, "%.1f %%",
                 share * 100);
}

static void service_refused(struct shown *shown, uint32_t run, uint32_t part)
{
    put_count(shown, shown->runs[run].result.service_sums[part].refused);
}

static void show_services(struct shown *shown)
{
    const struct hf_drill_scenario *first = scenario_of(shown, 0);
    for (uint32_t i = 0; i < first->service_count; i++) {
        const char *label = first->services[i].label;
        put_title(shown, "service %s%s", label, "");
        row(shown, "peak queue", HF_DRILL_PART_SERVICE, label, service_peak);
        row(shown, "work for nobody", HF_DRILL_PART_SERVICE, label, service_wasted);
        row(shown, "refused", HF_DRILL_PART_SERVICE, label, service_refused);
    }
}

/* --- curves --- */

/* What a place in the line shows: the mean of its buckets; -1: nothing. */
static double mean_of(const struct hf_drill_scenario *scenario,
                      const struct hf_drill_result *result, enum hf_drill_curve_kind kind,
                      uint32_t part, uint32_t first, uint32_t last)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = first; i < last; i++) {
        double value = hf_drill_curve_at(scenario, result, kind, part, i);
        sum += value >= 0 ? value : 0;
        count += value >= 0;
    }
    return count > 0 ? sum / count : -1;
}

static void show_curve(const struct shown *shown, uint32_t run, enum hf_drill_curve_kind kind,
                       uint32_t part, uint32_t label_width)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct hf_drill_scenario *scenario = scenario_of(shown, run);
    const struct hf_drill_result *result = &shown->runs[run].result;
    double means[CURVE_WIDTH_MAX], most = hf_drill_curve_info(kind)->is_share ? 1 : 0;
    uint32_t all = (uint32_t)(scenario->length_us / scenario->bucket_us);
    uint32_t beside = 2 + CURVE_WORD + 1 + label_width + 1 + CURVE_SCALE;
    uint32_t room = shown->term->width > beside + 16 ? shown->term->width - beside : 16;
    uint32_t width = room < CURVE_WIDTH_MAX ? room : CURVE_WIDTH_MAX;
    width = all < width ? all : width;
    for (uint32_t i = 0; i < width; i++) {
        uint32_t first = (uint32_t)((uint64_t)i * all / width);
        uint32_t last = (uint32_t)((uint64_t)(i + 1) * all / width);
        last = last > result->bucket_count ? result->bucket_count : last;
        means[i] = mean_of(scenario, result, kind, part, first, last);
        most = means[i] > most ? means[i] : most;
    }
    char text[CURVE_WIDTH_MAX * 4] = "";
    size_t size = 0;
    for (uint32_t i = 0; i < width; i++) {
        int level = most > 0 ? (int)(means[i] / most * 7.999) : 0;
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s",
                                 means[i] < 0 ? " " : blocks[level]);
    }
    const struct hf_drill_curve_info *info = hf_drill_curve_info(kind);
    char scale[HF_QUANTITY_TEXT_MAX];
    hf_quantity_text(most, info->is_share ? HF_QUANTITY_SHARE : HF_QUANTITY_COUNT, scale);
    const char *label = hf_drill_label(scenario, info->part, part);
    bool is_cut = strlen(label) > label_width;
    hf_term_put(shown->term, HF_STYLE_PLAIN, "  %-*s %-*.*s%s ", CURVE_WORD, info->word,
                (int)label_width - is_cut, (int)label_width - is_cut, label, is_cut ? "…" : "");
    hf_term_put(shown->term, info->is_share ? HF_STYLE_NAME : HF_STYLE_WARN, "%s", text);
    hf_term_put(shown->term, HF_STYLE_DIM, " %s%s\n", scale, info->is_share ? "" : info->unit);
}

/* One line for each thing that shows how a run went. */
static void show_curves(const struct shown *shown, uint32_t run)
{
    static const enum hf_drill_curve_kind kinds[] = {HF_DRILL_CURVE_ANSWERS, HF_DRILL_CURVE_GOODPUT,
                                                     HF_DRILL_CURVE_HELD, HF_DRILL_CURVE_SERVING,
                                                     HF_DRILL_CURVE_QUEUE};
    const struct hf_drill_scenario *scenario = scenario_of(shown, run);
    const struct hf_drill_file *file = shown->set->variants[run].file;
    char begin[HF_DRILL_TIME_TEXT_MAX], end[HF_DRILL_TIME_TEXT_MAX];
    hf_drill_moment_text(0, file->has_clock, file->clock_s, begin);
    hf_drill_moment_text(scenario->length_us, file->has_clock, file->clock_s, end);
    hf_term_put(shown->term, HF_STYLE_BOLD, "\n%s", shown->set->variants[run].label);
    hf_term_put(shown->term, HF_STYLE_DIM, "  %s to %s%s%s\n", begin, end,
                file->has_clock ? " " : "", file->has_clock ? file->clock_zone : "");
    uint32_t label_width = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        enum hf_drill_part part = hf_drill_curve_info(kinds[k])->part;
        for (uint32_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
            uint32_t width = (uint32_t)strlen(hf_drill_label(scenario, part, i));
            label_width = width > label_width ? width : label_width;
        }
    }
    label_width = label_width < CURVE_LABEL_MAX ? label_width : CURVE_LABEL_MAX;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        enum hf_drill_part part = hf_drill_curve_info(kinds[k])->part;
        for (uint32_t i = 0; hf_drill_label(scenario, part, i)[0] != 0; i++) {
            bool is_whole = kinds[k] == HF_DRILL_CURVE_SERVING &&
                            stays_whole(shown, hf_drill_label(scenario, part, i));
            if (!is_whole) {
                show_curve(shown, run, kinds[k], i, label_width);
            }
        }
    }
}

static void show_state(const struct shown *shown)
{
    for (uint32_t run = 0; run < shown->set->count; run++) {
        const struct hf_drill_job *job = &shown->runs[run];
        if (job->state == HF_DRILL_JOB_STOPPED) {
            char now[HF_DRILL_TIME_TEXT_MAX], length[HF_DRILL_TIME_TEXT_MAX];
            hf_drill_time_text(job->result.now_us, now);
            hf_drill_time_text(job->scenario->length_us, length);
            hf_term_put(shown->term, HF_STYLE_WARN, "%s: stopped at %s of %s; this is so far\n",
                        shown->set->variants[run].label, now, length);
        }
    }
}

void hf_drill_show(const struct hf_term *term, const struct hf_drill_set *set,
                   const struct hf_drill_job *runs)
{
    struct shown shown = {.term = term, .set = set, .runs = runs};
    char titles[64 + HF_DRILL_RUNS_MAX * (HF_DRILL_RUN_LABEL_MAX + 2)] = "";
    size_t size = 0;
    for (uint32_t run = 0; run < set->count; run++) {
        size += (size_t)snprintf(titles + size, sizeof(titles) - size, "|>%s",
                                 hf_drill_set_title(set, run));
    }
    show_state(&shown);
    hf_table_init(&shown.table, titles);
    show_names(&shown);
    show_dependents(&shown);
    show_services(&shown);
    hf_table_print(&shown.table, term, 0);
    hf_table_release(&shown.table);
    for (uint32_t run = 0; run < set->count; run++) {
        show_curves(&shown, run);
    }
}
