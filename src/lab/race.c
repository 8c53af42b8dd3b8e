/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/race.h"

#include <assert.h>
#include <string.h>

enum { PLANS = 5, AGE = 2, QUEUE_MAX = 4, ENACTORS = 2, PROCESSES = 1 + ENACTORS };

enum planner_at { MORE, PUBLISH, SEND, SENT, PLANNER_END };

enum enactor_at {
    IDLE,
    TAKEN,
    NOTE,
    LOOK,
    COMPARE,
    ASK,
    INSTALL,
    SET_ANSWER,
    SET_ANSWERS,
    SET_EVER,
    IS_NEWEST,
    SET_NEWEST,
    CLEAN,
    NEXT,
    DECIDE,
    DELETE,
    SET_GONE,
    WAS_ANSWER,
    EMPTY,
    EMPTY_ANSWERS,
    EMPTY_ANSWER,
    EMPTIED,
    NOT_ANSWER,
    NOT_OLD,
    IS_GONE,
    NOT_NEWER,
    DONE,
    STOP,
    ENACTOR_END,
};

struct enactor {
    uint8_t at, mine, seen, plan;
};

struct race {
    uint8_t planner_at, next;
    uint8_t queue[QUEUE_MAX];
    uint8_t queued;
    uint8_t published, working_on, answer, newest;
    uint8_t gone; /* a bit for each plan */
    bool answers, ever;
    uint8_t processes; /* the last one that began ends first */
    struct enactor enactors[ENACTORS];
};

static void init(const struct hf_model *model, void *state, uint64_t seed)
{
    (void)model;
    (void)seed;
    struct race *now = state;
    *now = (struct race){.next = 1, .processes = PROCESSES};
}

static bool is_gone(const struct race *now, uint8_t plan)
{
    return (now->gone >> plan & 1) != 0;
}

static bool end_process(struct race *now, uint32_t number)
{
    if (number + 1 != now->processes) {
        return false;
    }
    now->processes--;
    if (number > 0) {
        now->enactors[number - 1] = (struct enactor){0};
    }
    return true;
}

static bool step_planner(struct race *now)
{
    switch (now->planner_at) {
    case MORE:
        now->planner_at = now->next <= PLANS ? PUBLISH : PLANNER_END;
        return true;
    case PUBLISH:
        now->published = now->next;
        now->planner_at = SEND;
        return true;
    case SEND:
        if (now->queued == QUEUE_MAX) {
            return false;
        }
        now->queue[now->queued++] = now->next;
        now->planner_at = SENT;
        return true;
    case SENT:
        now->next++;
        now->planner_at = MORE;
        return true;
    default:
        return end_process(now, 0);
    }
}

static bool take(struct race *now, struct enactor *enactor)
{
    if (now->queued > 0) {
        enactor->mine = now->queue[0];
        memmove(now->queue, now->queue + 1, QUEUE_MAX - 1);
        now->queue[QUEUE_MAX - 1] = 0;
        now->queued--;
        enactor->at = TAKEN;
        return true;
    }
    enactor->at = STOP;
    return now->published >= PLANS;
}

/* From a plan taken to a plan installed. */
static bool step_install(struct race *now, struct enactor *enactor)
{
    uint8_t mine = enactor->mine;
    uint8_t next = enactor->at + 1;
    switch (enactor->at) {
    case NOTE:
        now->working_on = mine;
        break;
    case LOOK:
        enactor->seen = now->answer;
        break;
    case COMPARE:
        next = mine > enactor->seen || enactor->seen == 0 ? ASK : NOT_NEWER;
        break;
    case ASK:
        next = is_gone(now, mine) ? IS_GONE : INSTALL;
        break;
    case SET_ANSWER:
        now->answer = mine;
        break;
    case SET_ANSWERS:
        now->answers = true;
        break;
    case SET_EVER:
        now->ever = true;
        break;
    case IS_NEWEST:
        if (mine <= now->newest) {
            return false;
        }
        break;
    case SET_NEWEST:
        now->newest = mine;
        break;
    default: /* an announcement */
        break;
    }
    enactor->at = next;
    return true;
}

static void step_clean(struct race *now, struct enactor *enactor)
{
    uint8_t plan = enactor->plan;
    uint8_t next = enactor->at + 1;
    bool is_old = enactor->mine - plan >= AGE && !is_gone(now, plan);
    switch (enactor->at) {
    case CLEAN:
        enactor->plan = 1;
        break;
    case NEXT:
        next = plan < enactor->mine ? DECIDE : DONE;
        break;
    case DECIDE:
        next = is_old ? DELETE : NOT_OLD;
        break;
    case SET_GONE:
        now->gone |= (uint8_t)(1U << plan);
        break;
    case WAS_ANSWER:
        next = now->answer == plan ? EMPTY : NOT_ANSWER;
        break;
    case EMPTY_ANSWERS:
        now->answers = false;
        break;
    case EMPTY_ANSWER:
        now->answer = 0;
        break;
    case EMPTIED:
    case NOT_ANSWER:
    case NOT_OLD:
        enactor->plan++;
        next = NEXT;
        break;
    default: /* an announcement */
        break;
    }
    enactor->at = next;
}

static bool step_enactor(struct race *now, uint32_t number)
{
    struct enactor *enactor = &now->enactors[number - 1];
    switch (enactor->at) {
    case IDLE:
        return take(now, enactor);
    case IS_GONE:
    case NOT_NEWER:
        enactor->at = DONE;
        return true;
    case DONE:
        now->working_on = 0;
        enactor->at = IDLE;
        return true;
    case STOP:
        enactor->at = ENACTOR_END;
        return true;
    case ENACTOR_END:
        return end_process(now, number);
    default:
        if (enactor->at < CLEAN) {
            return step_install(now, enactor);
        }
        step_clean(now, enactor);
        return true;
    }
}

static enum hf_step step(const struct hf_model *model, void *state, struct hf_choice *choice)
{
    const struct hf_race_options *options = model->options;
    struct race *now = state;
    uint32_t number = hf_choose(choice, PROCESSES);
    if (number >= now->processes ||
        !(number == 0 ? step_planner(now) : step_enactor(now, number))) {
        return HF_STEP_DISABLED;
    }
    bool broken = now->answer != 0 && is_gone(now, now->answer);
    return broken && options->go_on == 0 ? HF_STEP_BROKEN : HF_STEP_TAKEN;
}

/* Octets throughout: nothing lies between the members. */
static_assert(sizeof(struct race) == 15 + 4 * ENACTORS, "struct race has no padding");

static size_t encode(const struct hf_model *model, const void *state, uint8_t *ret_bytes)
{
    (void)model;
    memcpy(ret_bytes, state, sizeof(struct race));
    return sizeof(struct race);
}

static void decode(const struct hf_model *model, const uint8_t *bytes, size_t size, void *state)
{
    (void)model;
    memcpy(state, bytes, size);
}

static const char *why(const struct hf_model *model, const void *state)
{
    (void)model;
    (void)state;
    return "the plan that the endpoint answers with was deleted";
}

static void tell_enactor(uint32_t number, const struct enactor *enactor, const struct race *after,
                         struct hf_buf *ret_line)
{
    const struct enactor *then = &after->enactors[number - 1];
    switch (enactor->at) {
    case IDLE:
        if (then->at == TAKEN) {
            hf_buf_printf(ret_line, "enactor %u takes plan %u", number, then->mine);
        }
        break;
    case COMPARE:
        hf_buf_printf(ret_line, "enactor %u checks: plan %u is %snewer than applied %u", number,
                      enactor->mine, then->at == ASK ? "" : "not ", enactor->seen);
        break;
    case ASK:
        if (then->at == IS_GONE) {
            hf_buf_printf(ret_line, "enactor %u finds plan %u deleted", number, enactor->mine);
        }
        break;
    case SET_ANSWER:
        hf_buf_printf(ret_line, "enactor %u installs plan %u", number, enactor->mine);
        break;
    case SET_GONE:
        hf_buf_printf(ret_line, "clean-up of enactor %u deletes plan %u", number, enactor->plan);
        break;
    case EMPTY_ANSWERS:
        hf_buf_printf(ret_line, "nothing is answered any more");
        break;
    default:
        break;
    }
}

static void tell(const struct hf_model *model, const void *before, const struct hf_choice *choice,
                 const void *after, struct hf_buf *ret_line)
{
    (void)model;
    const struct race *from = before;
    uint32_t number = choice->given[0];
    if (number > 0) {
        tell_enactor(number, &from->enactors[number - 1], after, ret_line);
    } else if (from->planner_at == SEND) {
        hf_buf_printf(ret_line, "planner publishes plan %u", from->next);
    }
}

void hf_race_model(struct hf_model *ret_model, const struct hf_race_options *options)
{
    *ret_model = (struct hf_model){.name = "race",
                                   .options = options,
                                   .state_size = sizeof(struct race),
                                   .encoded_max = sizeof(struct race),
                                   .init = init,
                                   .step = step,
                                   .encode = encode,
                                   .decode = decode,
                                   .why = why,
                                   .tell = tell};
}
