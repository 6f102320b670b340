/*
 * Lists that come in pages.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "azure/page.h"
#include "rig.h"

struct pages {
    unsigned pages, over, items;
    struct err err;
    struct azure_pages *cancel; /* at the first page */
};

static void on_page(void *arg, const json_t *value, bool last, const struct err *err)
{
    struct pages *p = arg;
    p->items += (unsigned)json_array_size(value);
    p->pages += value != NULL;
    if (err)
        p->err = *err;
    if (p->cancel) {
        azure_pages_cancel(p->cancel);
        p->cancel = NULL;
        p->over++;
        return;
    }
    p->over += last || err;
}

static void next_link(struct rig *rig, char *out, size_t size, const char *path)
{
    snprintf(out, size, "{\"value\":[1,2],\"nextLink\":\"%s%s\"}", fake_arm_url(rig->arm), path);
}

static struct azure_pages *start(struct rig *rig, struct pages *p)
{
    struct azure_pages *pages;
    struct err err;
    memset(p, 0, sizeof(*p));
    assert_int_equal(azure_pages_start(rig->azure, "/list", 0, on_page, p, &pages, &err), 0);
    return pages;
}

static void all_pages_in_order(void **state)
{
    struct rig *rig = *state;
    struct pages p;
    char body[200];
    next_link(rig, body, sizeof(body), "/list2?$skiptoken=a%20b");
    fake_arm_on(rig->arm, "GET /list", 200, NULL, body);
    fake_arm_on(rig->arm, "GET /list2?$skiptoken=a%20b", 200, NULL, "{\"value\":[3],\"nextLink\":null}");
    start(rig, &p);
    rig_until(rig, &p.over, 1);
    assert_int_equal(p.err.code, 0);
    assert_int_equal(p.pages, 2);
    assert_int_equal(p.items, 3);
}

static void foreign_next_link_is_refused(void **state)
{
    struct rig *rig = *state;
    struct pages p;
    fake_arm_on(rig->arm, "GET /list", 200, NULL,
                "{\"value\":[1],\"nextLink\":\"https://evil.example/list\"}");
    start(rig, &p);
    rig_until(rig, &p.over, 1);
    assert_int_equal(p.err.code, ERR_DENIED);
    assert_contains(p.err.msg, "evil.example");
}

static void what_is_no_list(void **state)
{
    struct rig *rig = *state;
    struct pages p;
    fake_arm_on(rig->arm, "GET /list", 200, NULL, "{\"value\":{}}");
    fake_arm_on(rig->arm, "GET /list", 200, NULL, "[]");
    fake_arm_on(rig->arm, "GET /list", 404, NULL, "");
    static const int codes[] = {ERR_PROTOCOL, ERR_PROTOCOL, ERR_NOTFOUND};
    for (int i = 0; i < 3; i++) {
        start(rig, &p);
        rig_until(rig, &p.over, 1);
        assert_int_equal(p.err.code, codes[i]);
    }
}

static void endless_lists_end(void **state)
{
    struct rig *rig = *state;
    struct pages p;
    struct azure_pages *pages;
    struct err err;
    char body[200];
    memset(&p, 0, sizeof(p));
    next_link(rig, body, sizeof(body), "/list");
    fake_arm_on(rig->arm, "GET /list", 200, NULL, body);
    assert_int_equal(azure_pages_start(rig->azure, "/list", 0, on_page, &p, &pages, &err), 0);
    rig_until(rig, &p.over, 1);
    assert_int_equal(p.err.code, ERR_LIMIT);
    assert_int_equal(p.pages, AZURE_PAGES_MAX - 1);
}

static void cancelled_at_the_first_page(void **state)
{
    struct rig *rig = *state;
    struct pages p;
    char body[200];
    next_link(rig, body, sizeof(body), "/list2");
    fake_arm_on(rig->arm, "GET /list", 200, NULL, body);
    struct azure_pages *pages = start(rig, &p);
    p.cancel = pages;
    rig_until(rig, &p.over, 1);
    rig_turns(rig, 20);
    assert_int_equal(p.pages, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_pages_in_order, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(foreign_next_link_is_refused, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_list, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(endless_lists_end, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(cancelled_at_the_first_page, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
