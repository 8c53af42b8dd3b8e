/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What machines ask for: whether the process lives and reads its store, and the contract. */
#include "holdfast/api.h"
#include "holdfast/api_document.h"
#include "holdfast/metrics.h"

static void healthz(struct hf_api_call *call)
{
    hf_json_object(&call->json);
    hf_json_put_bool(&call->json, "ok", true);
    hf_json_object_end(&call->json);
}

static void readyz(struct hf_api_call *call)
{
    const struct hf_api *api = call->api;
    struct hf_json *json = &call->json;
    uint64_t now_ms = api->look->now_ms;
    bool is_ready = api->read_ms != 0 && now_ms - api->read_ms <= HF_API_READY_MS;
    call->answer->status = is_ready ? 200 : 503;
    call->answer->etag[0] = 0;
    hf_json_object(json);
    hf_json_put_bool(json, "ok", is_ready);
    hf_look_json_time(json, "read_ms", api->read_ms);
    hf_json_put_text(json, "why", api->read_why);
    hf_json_object_end(json);
}

static void openapi(struct hf_api_call *call)
{
    hf_buf_put(&call->answer->body, hf_api_document, hf_api_document_size);
}

static void metrics(struct hf_api_call *call)
{
    const struct hf_api *api = call->api;
    struct hf_notify_counters receivers[HF_NOTIFY_RECEIVERS_MAX];
    call->answer->content_type = HF_EXPOSITION_CONTENT_TYPE;
    call->answer->etag[0] = 0;
    hf_metrics_write(&api->status, &call->request->counters, &call->answer->body);
    hf_metrics_write_notify(receivers, hf_notify_count(api->notify, receivers),
                            &call->answer->body);
    hf_metrics_write_delays(&api->writes->delays, &call->answer->body);
}

const struct hf_api_route hf_api_routes_machines[] = {
    {"GET", "/healthz", "", healthz, true},
    {"GET", "/readyz", "", readyz, false},
    {"GET", "/metrics", "", metrics, false},
    {"GET", "/openapi.json", "", openapi, true},
    {0},
};
