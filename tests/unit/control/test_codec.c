/*
 * test_codec: each message written can be read, and what is no message is refused with a reason.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/codec.h"
#include "control/control.h"

static int parse(struct codec_client *m, const char *line)
{
    struct err err = {0};
    int rc = codec_parse_client(m, line, strlen(line), &err);
    if (rc < 0)
        assert_true(err.msg[0]);
    return rc;
}

static void test_client_messages(void **state)
{
    struct codec_client m;

    assert_int_equal(parse(&m, "{\"adit\":3,\"version\":\"9\",\"more\":[]}"), 0);
    assert_int_equal(m.kind, CODEC_HELLO);
    assert_int_equal(m.version, 3);
    codec_client_done(&m);

    assert_int_equal(parse(&m, "{\"id\":7,\"op\":\"up\",\"args\":{\"a\":1}}"), 0);
    assert_int_equal(m.kind, CODEC_REQUEST);
    assert_int_equal(m.id, 7);
    assert_string_equal(m.op, "up");
    assert_int_equal(json_integer_value(json_object_get(m.args, "a")), 1);
    codec_client_done(&m);

    assert_int_equal(parse(&m, "{\"id\":7,\"op\":\"up\"}"), 0);
    assert_true(json_is_object(m.args));
    codec_client_done(&m);

    assert_int_equal(parse(&m, "{\"cancel\":7}"), 0);
    assert_int_equal(m.kind, CODEC_CANCEL);
    codec_client_done(&m);
}

static void test_refused(void **state)
{
    static const char *const BAD[] = {
        "",
        "[]",
        "7",
        "{",
        "{}",
        "{\"id\":7}",
        "{\"op\":\"up\"}",
        "{\"id\":0,\"op\":\"up\"}",
        "{\"id\":-1,\"op\":\"up\"}",
        "{\"id\":9007199254740992,\"op\":\"up\"}",
        "{\"id\":\"7\",\"op\":\"up\"}",
        "{\"id\":1.5,\"op\":\"up\"}",
        "{\"id\":7,\"op\":\"\"}",
        "{\"id\":7,\"op\":1}",
        "{\"id\":7,\"op\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
        "{\"id\":7,\"op\":\"up\",\"args\":[]}",
        "{\"id\":7,\"id\":8,\"op\":\"up\"}",
        "{\"id\":7,\"op\":\"up\"} x",
        "{\"adit\":0}",
        "{\"adit\":\"1\"}",
        "{\"cancel\":null}",
        "{\"id\":7,\"op\":\"\\u0000\"}",
        "{\"id\":7,\"op\":\"\xff\"}",
    };
    struct codec_client m;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        if (parse(&m, BAD[i]) != ERR_PROTOCOL)
            fail_msg("accepted: %s", BAD[i]);
        assert_null(m.root);
    }
}

static void take(char *line, const size_t *length, struct codec_daemon *m)
{
    size_t len = *length;
    assert_non_null(line);
    assert_int_equal(strlen(line), len);
    assert_int_equal(line[len - 1], '\n');
    assert_int_equal(strcspn(line, "\n"), len - 1);
    assert_int_equal(codec_parse_daemon(m, line, len - 1, NULL), 0);
    assert_int_equal(m->id, 5);
    mem_free(line);
}

static void test_answers_round_trip(void **state)
{
    struct codec_daemon m;
    struct err err = {0};
    size_t len = 0;
    json_t *data = json_pack("{s:s}", "line", "a\nb");

    take(codec_ok_line(5, data, true, &len), &len, &m);
    assert_int_equal(m.kind, CODEC_OK);
    assert_true(m.fd);
    assert_true(json_equal(m.data, data));
    codec_daemon_done(&m);

    take(codec_event_line(5, data, &len), &len, &m);
    assert_int_equal(m.kind, CODEC_EVENT);
    assert_true(json_equal(m.data, data));
    codec_daemon_done(&m);

    take(codec_progress_line(5, "b\xc3\xa4 \xff\xc3", &len), &len, &m);
    assert_int_equal(m.kind, CODEC_PROGRESS);
    assert_string_equal(m.progress, "b\xc3\xa4 ??");
    codec_daemon_done(&m);

    err_set(&err, ERR_HOSTKEY, "vm win11: \033[2J \xed\xa0\x80");
    take(codec_error_line(5, &err, &len), &len, &m);
    assert_int_equal(m.kind, CODEC_ERROR);
    assert_int_equal(m.err.code, ERR_HOSTKEY);
    assert_string_equal(m.err.msg, "vm win11: \033[2J ???");
    codec_daemon_done(&m);
    json_decref(data);
}

static void test_bad_answers(void **state)
{
    static const char *const BAD[] = {"{}",
                                      "{\"id\":1}",
                                      "{\"ok\":1}",
                                      "{\"id\":0,\"ok\":1}",
                                      "{\"id\":1,\"event\":[]}",
                                      "{\"id\":1,\"progress\":1}"};
    struct codec_daemon m;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        assert_int_equal(codec_parse_daemon(&m, BAD[i], strlen(BAD[i]), NULL), ERR_PROTOCOL);
    /* An error whose code a later daemon invented is still an error. */
    const char *later = "{\"id\":1,\"error\":{\"code\":\"later\",\"message\":\"m\"}}";
    assert_int_equal(codec_parse_daemon(&m, later, strlen(later), NULL), 0);
    assert_int_equal(m.err.code, ERR_PROTOCOL);
    assert_string_equal(m.err.msg, "m");
    codec_daemon_done(&m);
}

static void test_every_code_survives(void **state)
{
    for (int code = ERR_NOMEM; code >= ERR_VERSION; code--) {
        struct err in = {0}, out = {0};
        err_set(&in, code, "why");
        json_t *json = control_err_to_json(&in);
        control_err_from_json(&out, json);
        assert_int_equal(out.code, code);
        assert_string_equal(out.msg, "why");
        json_decref(json);
    }
}

static void test_hello(void **state)
{
    struct codec_hello h;
    struct err full = {0};
    size_t len = 0;

    err_set(&full, ERR_LIMIT, "full");
    char *line = codec_hello_line(42, &full, &len);
    assert_int_equal(codec_parse_hello(&h, line, len, NULL), 0);
    assert_int_equal(h.version, CONTROL_VERSION);
    assert_int_equal(h.pid, 42);
    assert_int_equal(h.err.code, ERR_LIMIT);
    assert_string_equal(h.program, ADIT_VERSION);
    mem_free(line);
    assert_int_equal(codec_parse_hello(&h, "SSH-2.0-x", 9, NULL), ERR_PROTOCOL);
    assert_int_equal(codec_parse_hello(&h, "{\"id\":1}", 8, NULL), ERR_PROTOCOL);
}

static void test_out_of_memory_gives_no_line(void **state)
{
    struct err err = {0};
    json_set_alloc_funcs(mem_alloc, mem_free);
    err_set(&err, ERR_CLOSED, "gone");
    for (long k = 0;; k++) {
        size_t len = 0;
        mem_fail_after(k);
        char *line = codec_error_line(9, &err, &len);
        mem_fail_after(-1);
        if (line) {
            assert_non_null(strstr(line, "\"message\":\"gone\""));
            mem_free(line);
            assert_true(k > 3);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_messages),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_answers_round_trip),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_every_code_survives),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_out_of_memory_gives_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
