/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "io/knotd_conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* A text in double quotes, as knot.conf reads them. */
static void put_quoted(struct hf_buf *buf, const char *text)
{
    hf_buf_put_text(buf, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            hf_buf_put_text(buf, "\\");
        }
        hf_buf_put(buf, text, 1);
    }
    hf_buf_put_text(buf, "\"");
}

int hf_knotd_zone_file(const char *zone, char ret_name[HF_KNOTD_FILE_NAME_MAX + 1])
{
    size_t size = 0;
    char name[HF_KNOTD_FILE_NAME_MAX + 1];
    for (const char *at = zone; *at != '\0'; at++) {
        bool is_plain = strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *at) != NULL;
        if ((!is_plain && *at != '/') || size + 3 + strlen("root.zone") > HF_KNOTD_FILE_NAME_MAX) {
            return HF_EINVAL;
        }
        size += (size_t)snprintf(name + size, 4, is_plain ? "%c" : "%%2f", *at);
    }
    size -= size > 0 && name[size - 1] == '.';
    (void)snprintf(name + size, sizeof(name) - size, size == 0 ? "root.zone" : ".zone");
    memcpy(ret_name, name, strlen(name) + 1);
    return HF_OK;
}

void hf_knotd_zone_put(struct hf_buf *buf, const char *zone)
{
    hf_buf_printf(buf, "%s %d SOA localhost. hostmaster.localhost. 1 3600 600 86400 %d\n", zone,
                  HF_KNOTD_NEGATIVE_TTL_S, HF_KNOTD_NEGATIVE_TTL_S);
    hf_buf_printf(buf, "%s 3600 NS localhost.\n", zone);
}

static uint32_t count_zones(const struct hf_config *config, uint32_t target)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < config->zone_count; i++) {
        count += config->zones[i].target == target;
    }
    return count;
}

static uint64_t between(uint64_t low, uint64_t value, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/*
 * rundir goes through /proc/self/cwd because knotd makes it absolute, and the path of a socket has
 * at most 107 octets. The database's size is address space; its file grows with the content.
 */
static void put_head(struct hf_buf *buf, const struct hf_config_target *target, const char *secret,
                     uint64_t disk_mib)
{
    hf_buf_put_text(buf, "# Written by holdfast run at every start: changes made here are lost.\n"
                         "server:\n"
                         "    rundir: \"/proc/self/cwd/run\"\n"
                         "    pidfile: \"knot.pid\"\n");
    hf_buf_printf(buf, "    listen: [ \"%s@%u\" ]\n", target->host, target->port);
    hf_buf_put_text(buf, "log:\n"
                         "  - target: stderr\n"
                         "    server: info\n"
                         "    control: warning\n"
                         "    zone: error\n" /* every refused prerequisite is a warning */
                         "database:\n"
                         "    storage: \".\"\n"
                         "    journal-db: \"journal\"\n"
                         "    journal-db-mode: robust\n");
    hf_buf_printf(buf, "    journal-db-max-size: %" PRIu64 "M\n",
                  disk_mib > HF_KNOTD_DB_MIN_MIB ? disk_mib : HF_KNOTD_DB_MIN_MIB);
    hf_buf_put_text(buf, "key:\n  - id: ");
    put_quoted(buf, target->tsig_name);
    hf_buf_printf(buf, "\n    algorithm: %s\n    secret: \"%s\"\n", target->tsig_algorithm, secret);
    hf_buf_put_text(buf, "acl:\n  - id: update\n    key: ");
    put_quoted(buf, target->tsig_name);
    hf_buf_put_text(buf, "\n    action: update\n"
                         "    update-owner: zone\n"
                         "    update-owner-match: sub-or-equal\n"
                         "  - id: transfer\n    key: ");
    put_quoted(buf, target->tsig_name);
    hf_buf_put_text(buf, "\n    action: transfer\n");
}

int hf_knotd_conf_put(struct hf_buf *buf, const struct hf_config *config, uint32_t target,
                      const char *secret, uint64_t disk_bytes, size_t *ret_head_size)
{
    uint64_t disk_mib = disk_bytes >> 20;
    uint32_t zones = count_zones(config, target);
    put_head(buf, &config->targets[target], secret, disk_mib);
    size_t head_size = buf->size;
    uint64_t usage = between(HF_KNOTD_USAGE_MIN_MIB, disk_mib / 8 / (zones > 0 ? zones : 1),
                             HF_KNOTD_USAGE_MAX_MIB);
    hf_buf_put_text(buf, "template:\n"
                         "  - id: default\n"
                         "    storage: \"zones\"\n"
                         "    acl: [ update, transfer ]\n"
                         "    zonefile-sync: -1\n"
                         "    zonefile-load: whole\n"
                         "    journal-content: changes\n");
    hf_buf_printf(buf, "    journal-max-depth: %d\n    journal-max-usage: %" PRIu64 "M\n",
                  HF_KNOTD_JOURNAL_DEPTH, usage);
    hf_buf_put_text(buf, zones > 0 ? "zone:\n" : "");
    for (uint32_t i = 0; i < config->zone_count; i++) {
        char file[HF_KNOTD_FILE_NAME_MAX + 1];
        if (config->zones[i].target != target) {
            continue;
        }
        if (hf_knotd_zone_file(config->zones[i].name, file) != HF_OK) {
            return HF_EINVAL;
        }
        hf_buf_put_text(buf, "  - domain: ");
        put_quoted(buf, config->zones[i].name);
        hf_buf_put_text(buf, "\n    file: ");
        put_quoted(buf, file);
        hf_buf_put_text(buf, "\n");
    }
    if (hf_buf_error(buf) == HF_OK) {
        *ret_head_size = head_size;
    }
    return hf_buf_error(buf);
}
