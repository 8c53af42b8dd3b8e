/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/dns_sequence.h"

#include <libknot/libknot.h>
#include <string.h>

#include "base/error.h"

#define SERIAL_HALF ((uint32_t)1 << 31)

/* RFC 1982 section 3.2; serials that are half of the circle apart are not newer than each other. */
static bool is_newer(uint32_t serial, uint32_t than)
{
    return serial != than && serial - than < SERIAL_HALF;
}

void hf_dns_sequence_axfr(struct hf_dns_sequence *sequence, const uint8_t *zone)
{
    *sequence = (struct hf_dns_sequence){.zone = zone};
}

void hf_dns_sequence_ixfr(struct hf_dns_sequence *sequence, const uint8_t *zone, uint32_t serial)
{
    *sequence = (struct hf_dns_sequence){.zone = zone, .incremental = true, .serial = serial};
}

static int refuse(struct hf_dns_sequence *sequence, const char *text)
{
    sequence->broken = text;
    return HF_EMALF;
}

static int take_opening(struct hf_dns_sequence *sequence, const struct hf_dns_record *soa,
                        uint32_t serial)
{
    memcpy(sequence->soa, soa->rdata, soa->rdata_size);
    sequence->soa_size = soa->rdata_size;
    sequence->newest = serial;
    sequence->stage = sequence->incremental ? HF_DNS_STAGE_SECOND : HF_DNS_STAGE_WHOLE;
    return HF_OK;
}

static int take_closing(struct hf_dns_sequence *sequence, const struct hf_dns_record *soa)
{
    if (soa->rdata_size != sequence->soa_size ||
        memcmp(soa->rdata, sequence->soa, sequence->soa_size) != 0) {
        return refuse(sequence, "the zone changed during the transfer");
    }
    sequence->stage = HF_DNS_STAGE_END;
    return HF_OK;
}

/* The closing SOA right after the opening one. */
static int take_empty(struct hf_dns_sequence *sequence, const struct hf_dns_record *soa)
{
    if (sequence->newest != sequence->serial) {
        return refuse(sequence, "a whole zone of nothing but its SOA");
    }
    return take_closing(sequence, soa);
}

/* The SOA before a difference. */
static int take_before(struct hf_dns_sequence *sequence, uint32_t serial)
{
    if (serial != sequence->serial) {
        return refuse(sequence, sequence->stage == HF_DNS_STAGE_SECOND
                                    ? "the differences do not begin at the serial asked for"
                                    : "the differences have a gap");
    }
    if (!is_newer(sequence->newest, serial)) {
        return refuse(sequence, "differences, and the zone's serial is not newer");
    }
    sequence->stage = HF_DNS_STAGE_DELETED;
    return HF_OK;
}

/* The SOA between a difference's two halves. */
static int take_after(struct hf_dns_sequence *sequence, uint32_t serial)
{
    if (sequence->newest - serial >= sequence->newest - sequence->serial) {
        return refuse(sequence, "a difference leads back, or beyond the zone's serial");
    }
    sequence->serial = serial;
    sequence->stage = HF_DNS_STAGE_ADDED;
    return HF_OK;
}

static int take_soa(struct hf_dns_sequence *sequence, const struct hf_dns_record *soa)
{
    uint32_t serial = knot_wire_read_u32(soa->rdata + soa->rdata_size - HF_DNS_SOA_TAIL);
    switch (sequence->stage) {
    case HF_DNS_STAGE_FIRST:
        return take_opening(sequence, soa, serial);
    case HF_DNS_STAGE_SECOND:
        return serial == sequence->newest ? take_empty(sequence, soa)
                                          : take_before(sequence, serial);
    case HF_DNS_STAGE_DELETED:
        return take_after(sequence, serial);
    case HF_DNS_STAGE_ADDED:
        return sequence->serial == sequence->newest ? take_closing(sequence, soa)
                                                    : take_before(sequence, serial);
    case HF_DNS_STAGE_WHOLE:
    case HF_DNS_STAGE_END:
        break;
    }
    return take_closing(sequence, soa);
}

int hf_dns_sequence_next(struct hf_dns_sequence *sequence, const struct hf_dns_record *record,
                         enum hf_dns_sense *ret_sense, bool *ret_is_mark)
{
    bool is_first = sequence->stage == HF_DNS_STAGE_FIRST;
    bool is_soa = record->type == KNOT_RRTYPE_SOA && hf_name_equal(record->owner, sequence->zone);
    if (is_first && !is_soa) {
        return refuse(sequence, "the transfer does not begin with the zone's SOA");
    }
    if (sequence->stage == HF_DNS_STAGE_END) {
        return refuse(sequence, "the transfer goes on behind its closing SOA");
    }
    if (is_soa) {
        if (record->rdata_size < HF_DNS_SOA_TAIL || record->rdata_size > HF_DNS_SOA_MAX) {
            return refuse(sequence, "a SOA is malformed");
        }
        int error = take_soa(sequence, record);
        if (error == HF_OK) {
            *ret_sense = HF_DNS_NEWEST;
            *ret_is_mark = !is_first;
        }
        return error;
    }
    if (sequence->stage == HF_DNS_STAGE_SECOND) {
        sequence->stage = HF_DNS_STAGE_WHOLE;
    }
    *ret_is_mark = false;
    *ret_sense = sequence->stage == HF_DNS_STAGE_DELETED ? HF_DNS_DELETED
                 : sequence->stage == HF_DNS_STAGE_ADDED ? HF_DNS_ADDED
                                                         : HF_DNS_WHOLE;
    return HF_OK;
}

bool hf_dns_sequence_is_over(const struct hf_dns_sequence *sequence)
{
    return sequence->stage == HF_DNS_STAGE_END || (sequence->stage == HF_DNS_STAGE_SECOND &&
                                                   !is_newer(sequence->newest, sequence->serial));
}
