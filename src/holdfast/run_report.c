/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/json.h"
#include "holdfast/run.h"
#include "io/folder.h"

enum { JSON_MAX = 256 * 1024 };

int hf_run_lock(struct hf_run *run)
{
    char holder[32] = "";
    int fd = open(run->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        (void)hf_command_fail(run->invocation, "%s: %s", run->lock_path, strerror(errno));
        return HF_EIO;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t size = read(fd, holder, sizeof(holder) - 1);
        holder[size > 0 ? size : 0] = '\0';
        holder[strcspn(holder, "\n")] = '\0';
        (void)close(fd);
        (void)hf_command_fail(run->invocation,
                              "%s: another holdfast run works here already, process %s; end it "
                              "first (kill %s), or give this one its own data_dir",
                              run->lock_path, holder, holder);
        return HF_EBUSY;
    }
    int size = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, holder, (size_t)size) != size) {
        (void)hf_command_fail(run->invocation, "%s: %s", run->lock_path, strerror(errno));
        (void)close(fd);
        return HF_EIO;
    }
    run->lock_fd = fd;
    return HF_OK;
}

static void put_service(struct hf_json *json, const struct hf_service *service)
{
    static const char *const states[] = {
        [HF_SERVICE_WAITING] = "waiting",
        [HF_SERVICE_STARTING] = "starting",
        [HF_SERVICE_READY] = "ready",
    };
    hf_json_object(json);
    hf_json_put_text(json, "name", service->name);
    if (service->process.pid > 0) {
        hf_json_put_u64(json, "pid", (uint64_t)service->process.pid);
    } else {
        hf_json_put_null(json, "pid");
    }
    hf_json_put_text(json, "state", service->process.pid > 0 ? states[service->state] : "waiting");
    hf_json_put_u64(json, "restarts", service->restart_count);
    hf_json_object_end(json);
}

void hf_run_write_json(struct hf_run *run)
{
    char why[HF_KNOTD_WHY_MAX];
    struct hf_buf buf;
    struct hf_json json;
    hf_buf_init(&buf, JSON_MAX);
    hf_json_init(&json, &buf, HF_JSON_PRETTY);
    hf_json_object(&json);
    hf_json_put_text(&json, "installation", run->config->installation);
    hf_json_put_u64(&json, "pid", (uint64_t)getpid());
    hf_json_key(&json, "processes");
    hf_json_array(&json);
    for (size_t i = 0; i < run->supervisor.service_count; i++) {
        put_service(&json, &run->services[i]);
    }
    hf_json_array_end(&json);
    hf_json_object_end(&json);
    hf_buf_put_text(&buf, "\n");
    if (hf_file_replace(run->json_path, 0644, buf.bytes, buf.size, why, sizeof(why)) != HF_OK) {
        hf_log(&run->log, HF_LOG_WARNING, "run_json_failed", "why=%s", why);
    }
    hf_buf_release(&buf);
}

void hf_run_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    size_t size = strlen(path);
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0'; /* abstract: unix(7) */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    socklen_t address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 address_size);
    (void)close(fd);
}
