/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <string.h>

#include "base/error.h"
#include "io/address.h"

static void ipv4_reads_as_knot_writes_it(void **state)
{
    (void)state;
    const uint8_t bytes[4] = {127, 0, 0, 1};
    struct sockaddr_storage address;
    char text[HF_ADDRESS_TEXT_MAX];
    assert_int_equal(hf_address_from_bytes(bytes, 4, 5300, &address), HF_OK);
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
    assert_int_equal(ipv4->sin_family, AF_INET);
    assert_int_equal(ntohs(ipv4->sin_port), 5300);
    hf_address_text(&address, text);
    assert_string_equal(text, "127.0.0.1@5300");
}

static void ipv6_reads_as_knot_writes_it(void **state)
{
    (void)state;
    uint8_t bytes[16] = {[15] = 1};
    struct sockaddr_storage address;
    char text[HF_ADDRESS_TEXT_MAX];
    assert_int_equal(hf_address_from_bytes(bytes, 16, 53, &address), HF_OK);
    hf_address_text(&address, text);
    assert_string_equal(text, "::1@53");

    memset(bytes, 0xfd, sizeof(bytes));
    assert_int_equal(hf_address_from_bytes(bytes, 16, 65535, &address), HF_OK);
    hf_address_text(&address, text);
    assert_string_equal(text, "fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd@65535");
}

static void other_families_are_refused(void **state)
{
    (void)state;
    const uint8_t bytes[16] = {0};
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    char text[HF_ADDRESS_TEXT_MAX];
    assert_int_equal(hf_address_from_bytes(bytes, 5, 53, &address), HF_EINVAL);
    assert_int_equal(address.ss_family, AF_UNIX);
    hf_address_text(&address, text);
    assert_string_equal(text, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_reads_as_knot_writes_it),
        cmocka_unit_test(ipv6_reads_as_knot_writes_it),
        cmocka_unit_test(other_families_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
