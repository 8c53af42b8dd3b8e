/* SPDX-License-Identifier: GPL-3.0-or-later */
/* holdfast-drill from-config: a scenario to begin with, from an installation's configuration. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "codec/config.h"
#include "codec/duration.h"
#include "codec/name.h"
#include "codec/quantity.h"
#include "holdfast/drill_export.h"
#include "io/ask.h"

enum {
    PROBLEMS_CAP = 1 << 20,
    OUTPUT_CAP = 1 << 20,
    ENDPOINTS_MAX = 8,
    TYPE_SOA = 6,
    SOA_RDATA_MIN = 22,
    SOA_STANDARD_S = 900, /* where the zone's server does not answer */
    ASK_MS = 3000,
    WORKERS_EACH = 1, /* of a backend */
};

static const struct hf_option options[] = {
    {"config", 'c', "FILE", "The configuration of the installation (./holdfast.yaml)"},
    {"endpoint", 'e', "NAME", "Only this endpoint (the first 8)"},
    {"empty-for", 0, "TIME", "How long the names are empty in the scenario (20m)"},
    {NULL, 0, NULL, NULL},
};

/* Who calls an endpoint: a dependent of the configuration, or whoever. */
struct caller {
    char label[HF_DRILL_LABEL_SIZE];
    uint32_t endpoint;
    uint32_t sharers;      /* callers of the same endpoint */
    uint32_t tolerated_ms; /* 0: nothing is said */
};

/* What the zone's server says of answers that are not there. */
struct soa {
    uint32_t zone;
    uint32_t ttl_s, minimum_s;
    bool is_known;
    bool is_silent; /* there was no answer in time */
    char why[HF_ASK_WHY_MAX];
};

struct draft {
    const struct hf_invocation *invocation;
    const struct hf_config *config;
    struct hf_buf text;
    uint32_t endpoints[ENDPOINTS_MAX];
    struct soa soas[ENDPOINTS_MAX]; /* by endpoint */
    uint32_t count, left_out;
    struct caller callers[HF_DRILL_CLIENTS_MAX];
    uint32_t caller_count;
};

/* Without its final dot, as names of parts are written; false: it cannot be one. */
static bool label_of(const struct draft *draft, uint32_t endpoint, char ret_label[HF_NAME_TEXT_MAX])
{
    hf_name_text(draft->config->endpoints[endpoint].owner, ret_label);
    size_t size = strlen(ret_label);
    if (size > 1 && ret_label[size - 1] == '.') {
        ret_label[--size] = 0;
    }
    return size > 0 && size < HF_DRILL_LABEL_SIZE &&
           strspn(ret_label, "abcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

/* Which endpoints the scenario is about; false after a message. */
static bool choose(struct draft *draft)
{
    const char *only = hf_option_value(draft->invocation, "endpoint");
    uint8_t wire[HF_NAME_MAX];
    if (only != NULL && hf_name_parse(only, wire) != HF_OK) {
        (void)hf_command_misuse(draft->invocation, "--endpoint: found '%s', expected a name", only);
        return false;
    }
    for (uint32_t i = 0; i < draft->config->endpoint_count; i++) {
        char label[HF_NAME_TEXT_MAX];
        bool is_wanted = only == NULL || hf_name_equal(draft->config->endpoints[i].owner, wire);
        if (is_wanted && label_of(draft, i, label) && draft->count < ENDPOINTS_MAX) {
            draft->endpoints[draft->count++] = i;
        } else {
            draft->left_out += is_wanted;
        }
    }
    if (draft->count == 0) {
        (void)hf_command_fail(draft->invocation, "found no endpoint %s in %s",
                              only != NULL ? only : "that a scenario can have",
                              draft->config->path);
    }
    return draft->count > 0;
}

static bool ask(const struct draft *draft, struct soa *soa)
{
    const struct hf_config_zone *zone = &draft->config->zones[soa->zone];
    struct hf_ask *ask = NULL;
    struct hf_answer answer;
    if (hf_ask_open(draft->config, soa->zone, &ask) != HF_OK) {
        const struct hf_config_target *target = &draft->config->targets[zone->target];
        (void)snprintf(soa->why, sizeof(soa->why), "target %s: %s", target->name,
                       target->type == HF_TARGET_KNOT ? "Holdfast has not started its knotd yet"
                                                      : "its key cannot be read");
        return false;
    }
    hf_ask_limit(ask, ASK_MS);
    int error = hf_ask_rrset(ask, zone->apex, TYPE_SOA, &answer);
    bool is_known =
        error == HF_OK && answer.count == 1 && answer.records[0].rdata_size >= SOA_RDATA_MIN;
    if (is_known) {
        const struct hf_ask_record *record = &answer.records[0];
        const uint8_t *last = record->rdata + record->rdata_size - 4; /* RFC 1035: MINIMUM */
        soa->ttl_s = record->ttl_s;
        soa->minimum_s = (uint32_t)last[0] << 24 | (uint32_t)last[1] << 16 |
                         (uint32_t)last[2] << 8 | (uint32_t)last[3];
    } else {
        soa->is_silent = error == HF_ETIMEOUT;
        const char *why = hf_ask_why(ask);
        if (why[0] != 0 && error != HF_OK) {
            (void)snprintf(soa->why, sizeof(soa->why), "%s", why);
        } else {
            (void)snprintf(soa->why, sizeof(soa->why), "the server of %s %s", zone->name,
                           error == HF_OK ? "has none" : "refuses to say");
        }
    }
    hf_ask_close(ask);
    return is_known;
}

/* Each zone once, and a target that was silent not again: so this ends in seconds. */
static void find_soa(struct draft *draft, uint32_t zone, struct soa *soa)
{
    uint32_t target = draft->config->zones[zone].target;
    *soa = (struct soa){.zone = zone, .ttl_s = SOA_STANDARD_S, .minimum_s = SOA_STANDARD_S};
    for (const struct soa *known = draft->soas; known < soa; known++) {
        if (known->zone == zone ||
            (known->is_silent && draft->config->zones[known->zone].target == target)) {
            *soa = *known;
            soa->zone = zone;
            return;
        }
    }
    soa->is_known = ask(draft, soa);
    if (!soa->is_known) {
        hf_term_put(&draft->invocation->err, HF_STYLE_WARN,
                    "No SOA, %us is assumed for the TTL of empty answers: %s\n",
                    (unsigned)SOA_STANDARD_S, soa->why);
    }
}

static void put_names(struct draft *draft)
{
    hf_buf_put_text(&draft->text, "\nnames:\n");
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct hf_config_endpoint *endpoint = &draft->config->endpoints[draft->endpoints[i]];
        const struct hf_config_policy *policy = &draft->config->policies[endpoint->policy];
        const char *zone = draft->config->zones[endpoint->zone].name;
        const struct soa *soa = &draft->soas[i];
        char label[HF_NAME_TEXT_MAX];
        (void)label_of(draft, draft->endpoints[i], label);
        find_soa(draft, endpoint->zone, &draft->soas[i]);
        hf_buf_printf(&draft->text, "  %s:\n    ttl: %" PRIu32 "s\n", label, policy->ttl_s);
        if (soa->is_known) {
            hf_buf_printf(&draft->text, "    # From the SOA of %s:\n", zone);
        } else {
            hf_buf_printf(&draft->text, "    # Assumed; no SOA: %s\n", soa->why);
        }
        hf_buf_printf(&draft->text, "    soa_ttl: %" PRIu32 "s\n    soa_minimum: %" PRIu32 "s\n",
                      soa->ttl_s, soa->minimum_s);
    }
}

/* The pool that a service of this endpoint stands for: its first one. */
static const struct hf_config_pool *pool_of(const struct draft *draft, uint32_t endpoint)
{
    const struct hf_config_endpoint *row = &draft->config->endpoints[endpoint];
    return &draft->config->pools[draft->config->endpoint_pools[row->pool_first]];
}

static void put_fleet(struct draft *draft, uint32_t endpoint, const char *label)
{
    const struct hf_config_pool *pool = pool_of(draft, endpoint);
    const struct hf_config_policy *policy =
        &draft->config->policies[draft->config->endpoints[endpoint].policy];
    const struct hf_health_policy *health = &pool->check.health;
    char interval[HF_DURATION_TEXT_MAX], timeout[HF_DURATION_TEXT_MAX], low[HF_DURATION_TEXT_MAX],
        high[HF_DURATION_TEXT_MAX], window[HF_DURATION_TEXT_MAX];
    hf_duration_text(policy->max_removal_ms, window);
    hf_buf_printf(&draft->text, "  %s: # pool %s\n    nodes: %" PRIu32 "\n", label, pool->name,
                  pool->backend_count);
    if (pool->check.type != HF_CHECK_NONE) {
        hf_duration_text(pool->check.interval_ms, interval);
        hf_duration_text(pool->check.timeout_ms, timeout);
        hf_duration_text(health->hold_down_ms, low);
        hf_duration_text(health->hold_down_max_ms, high);
        hf_buf_printf(&draft->text,
                      "    checkers: %" PRIu32 " # checks at a time\n    interval: %s\n"
                      "    timeout: %s\n    check: 5ms # measure yours\n    rise: %u\n"
                      "    fall: %u\n    hold_down: %s..%s\n",
                      pool->backend_count, interval, timeout, health->rise, health->fall, low,
                      high);
    }
    hf_buf_printf(&draft->text, "    min_healthy: %" PRIu32 "\n    max_removal: %u.%u%% per %s\n",
                  policy->min_healthy, policy->max_removal_permille / 10U,
                  policy->max_removal_permille % 10U, window);
}

static void put_services(struct draft *draft)
{
    hf_buf_put_text(&draft->text,
                    "\n# What stands behind each name: measure workers, time and queue of yours.\n"
                    "services:\n");
    for (uint32_t i = 0; i < draft->count; i++) {
        char label[HF_NAME_TEXT_MAX];
        uint32_t workers =
            pool_of(draft, draft->endpoints[i])->backend_count * (uint32_t)WORKERS_EACH;
        (void)label_of(draft, draft->endpoints[i], label);
        hf_buf_printf(&draft->text,
                      "  %s:\n    workers: %" PRIu32 "\n    time: exponential 20ms\n"
                      "    queue_max: %" PRIu32 "\n    fleet: %s\n",
                      label, workers, workers * 100, label);
    }
    hf_buf_put_text(&draft->text, "\nfleets:\n");
    for (uint32_t i = 0; i < draft->count; i++) {
        char label[HF_NAME_TEXT_MAX];
        (void)label_of(draft, draft->endpoints[i], label);
        put_fleet(draft, draft->endpoints[i], label);
    }
}

static bool depends_on(const struct hf_config *config, const struct hf_config_dependent *dependent,
                       uint32_t endpoint)
{
    for (uint32_t i = 0; i < dependent->service_count; i++) {
        uint32_t at = config->dependent_services[dependent->service_first + i];
        const struct hf_config_service *service = &config->services[at];
        for (uint32_t k = 0; k < service->endpoint_count; k++) {
            if (config->service_endpoints[service->endpoint_first + k] == endpoint) {
                return true;
            }
        }
    }
    return false;
}

static void add_caller(struct draft *draft, uint32_t endpoint, const char *label,
                       uint32_t tolerated_ms)
{
    if (draft->caller_count < HF_DRILL_CLIENTS_MAX) {
        struct caller *caller = &draft->callers[draft->caller_count++];
        *caller = (struct caller){.endpoint = endpoint, .tolerated_ms = tolerated_ms};
        (void)snprintf(caller->label, sizeof(caller->label), "%.63s", label);
    }
}

/* A dependent of several endpoints is a client of each, numbered from the second on. */
static void list_callers(struct draft *draft)
{
    const struct hf_config *config = draft->config;
    for (uint32_t d = 0; d < config->dependent_count; d++) {
        uint32_t number = 0;
        for (uint32_t i = 0; i < draft->count; i++) {
            if (depends_on(config, &config->dependents[d], draft->endpoints[i])) {
                char label[HF_DRILL_LABEL_SIZE];
                number++;
                (void)snprintf(label, sizeof(label), number > 1 ? "%.58s-%u" : "%.58s",
                               config->dependents[d].name, number);
                add_caller(draft, draft->endpoints[i], label, config->dependents[d].tolerated_ms);
            }
        }
    }
    for (uint32_t i = 0; i < draft->count; i++) {
        uint32_t sharers = 0;
        char label[HF_NAME_TEXT_MAX];
        (void)label_of(draft, draft->endpoints[i], label);
        for (uint32_t k = 0; k < draft->caller_count; k++) {
            sharers += draft->callers[k].endpoint == draft->endpoints[i];
        }
        if (sharers == 0) {
            add_caller(draft, draft->endpoints[i], label, 0);
        }
        for (uint32_t k = 0; k < draft->caller_count; k++) {
            if (draft->callers[k].endpoint == draft->endpoints[i]) {
                draft->callers[k].sharers = sharers == 0 ? 1 : sharers;
            }
        }
    }
}

/* Half of what the workers can do at 20 ms each, for all callers of an endpoint together. */
static void put_clients(struct draft *draft)
{
    hf_buf_put_text(&draft->text,
                    "\n# Who asks where? Presets: bind, unbound, systemd-resolved, glibc, jvm.\n"
                    "resolvers:\n  callers: { preset: unbound, instances: 20, warm: true }\n"
                    "\n# Who calls: rates, time-outs and retries are assumed; look yours up.\n"
                    "clients:\n");
    for (uint32_t i = 0; i < draft->caller_count; i++) {
        const struct caller *caller = &draft->callers[i];
        char label[HF_NAME_TEXT_MAX], tolerated[HF_DURATION_TEXT_MAX];
        uint32_t backends = pool_of(draft, caller->endpoint)->backend_count;
        uint32_t rate = backends * WORKERS_EACH * 25 / caller->sharers;
        (void)label_of(draft, caller->endpoint, label);
        hf_buf_printf(&draft->text, "  %s:", caller->label);
        if (caller->tolerated_ms > 0) {
            hf_duration_text(caller->tolerated_ms, tolerated);
            hf_buf_printf(&draft->text, " # tolerates %s", tolerated);
        }
        hf_buf_printf(&draft->text,
                      "\n    rate: %" PRIu32 "/s\n    call:\n      service: %s\n"
                      "      name: %s\n      resolver: callers\n      instances: 20\n"
                      "      timeout: 1s\n      retries: 3\n      backoff: exponential\n"
                      "      backoff_base: 100ms\n      backoff_cap: 2s\n",
                      rate > 0 ? rate : 1, label, label);
    }
}

static void put_each_client(struct draft *draft, const char *value)
{
    hf_buf_put_text(&draft->text, "    clients:\n");
    for (uint32_t i = 0; i < draft->caller_count; i++) {
        hf_buf_printf(&draft->text, "      %s: %s\n", draft->callers[i].label, value);
    }
}

static void put_each(struct draft *draft, const char *section, const char *value)
{
    hf_buf_printf(&draft->text, "    %s:\n", section);
    for (uint32_t i = 0; i < draft->count; i++) {
        char label[HF_NAME_TEXT_MAX];
        (void)label_of(draft, draft->endpoints[i], label);
        hf_buf_printf(&draft->text, "      %s: %s\n", label, value);
    }
}

static void put_story(struct draft *draft, uint64_t empty_s)
{
    char end[HF_QUANTITY_TEXT_MAX];
    hf_quantity_text(600 + (double)empty_s, HF_QUANTITY_DURATION, end);
    hf_buf_put_text(&draft->text, "\nactions:\n");
    for (int right = 0; right < 2; right++) {
        for (uint32_t i = 0; i < draft->count; i++) {
            char label[HF_NAME_TEXT_MAX];
            (void)label_of(draft, draft->endpoints[i], label);
            hf_buf_printf(&draft->text, "  - { at: %s, answer: %s, to: %s }\n", right ? end : "10m",
                          label, right ? "right" : "empty");
        }
    }
    hf_buf_put_text(&draft->text, "\nremedies:\n  negative-ttl:\n    about: empty answers are "
                                  "cached for 10 seconds\n");
    put_each(draft, "names", "{ soa_minimum: 10s }");
    hf_buf_put_text(&draft->text, "  connections:\n    about: callers keep their connections\n");
    put_each_client(draft, "{ call: { connections: 4, connection_life: 8h } }");
    hf_buf_put_text(&draft->text,
                    "  retry-budget:\n    about: retries are at most a tenth of what is asked\n");
    put_each_client(draft, "{ call: { budget: 10%, budget_window: 10s } }");
    hf_buf_put_text(&draft->text,
                    "  newest-first:\n    about: long queues are served from the end\n");
    put_each(draft, "services", "{ queue: adaptive-lifo, lifo_above: 100 }");
}

static void put_head(struct draft *draft, uint64_t empty_s)
{
    char length[HF_QUANTITY_TEXT_MAX], repaired[HF_QUANTITY_TEXT_MAX];
    hf_quantity_text(600 + (double)empty_s, HF_QUANTITY_DURATION, repaired);
    hf_quantity_text(600 + (double)empty_s + 1800, HF_QUANTITY_DURATION, length);
    hf_buf_printf(
        &draft->text,
        "# A scenario to begin with, made from %s by holdfast-drill from-config.\n"
        "# TTLs, SOA, backends, checks and guards are the installation's; what is assumed "
        "says so.\n"
        "scenario: %s\nabout: the names of %s are empty for a while\n"
        "length: %s\nbucket: 10s\nrepaired: %s\n",
        draft->config->path, draft->config->installation, draft->config->installation, length,
        repaired);
    if (draft->left_out > 0) {
        hf_buf_printf(&draft->text,
                      "# %" PRIu32 " more endpoints were left out; --endpoint chooses one.\n",
                      draft->left_out);
    }
}

static int write_draft(struct draft *draft, uint64_t empty_s)
{
    list_callers(draft);
    put_head(draft, empty_s);
    put_names(draft);
    put_services(draft);
    put_clients(draft);
    put_story(draft, empty_s);
    return hf_drill_write(draft->invocation, "-", &draft->text);
}

static int run(const struct hf_invocation *invocation)
{
    const char *path = hf_option_value(invocation, "config");
    const char *empty = hf_option_value(invocation, "empty-for");
    struct draft draft = {.invocation = invocation};
    struct hf_config *config = NULL;
    struct hf_buf problems;
    double empty_s = 1200;
    if (empty != NULL && (hf_quantity_parse(empty, HF_QUANTITY_DURATION, &empty_s) != HF_OK ||
                          empty_s < 1 || empty_s > 864000)) {
        return hf_command_misuse(invocation, "--empty-for: found '%s', expected 1s to 10d", empty);
    }
    hf_buf_init(&problems, PROBLEMS_CAP);
    hf_buf_init(&draft.text, OUTPUT_CAP);
    int error = hf_config_read(path != NULL ? path : "holdfast.yaml", &config, &problems);
    if (problems.size > 0) {
        hf_term_put(&invocation->err, HF_STYLE_PLAIN, "%s", hf_buf_text(&problems));
    }
    int status = HF_EXIT_FAILED;
    draft.config = config;
    if (error == HF_OK && choose(&draft)) {
        status = write_draft(&draft, (uint64_t)empty_s);
    }
    hf_config_free(config);
    hf_buf_release(&draft.text);
    hf_buf_release(&problems);
    return status;
}

const struct hf_command hf_drill_command_from_config = {
    .name = "from-config",
    .group = HF_COMMAND_LOOK,
    .arguments = "",
    .summary = "write a scenario to begin with, from an installation",
    .details =
        "Writes a scenario for the endpoints of a configuration to standard output: their\n"
        "TTLs, the negative TTL of their zones (asked from their servers), backends, checks\n"
        "and guards. What a configuration does not know is assumed, and says so.",
    .options = options,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
