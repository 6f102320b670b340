/*
 * test_questions: a question on its way to a person and the answer back: what is taken, what is refused, and
 * what happens meanwhile.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "control/answer.h"
#include "control/line.h"
#include "rig.h"

static int setup(void **state)
{
    struct rig *r = mem_zalloc(sizeof *r);
    rig_start(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    rig_stop(r);
    mem_free(r);
    return 0;
}

static void parse(struct answer *a, const char *line, int rc)
{
    struct err err = {0};
    if (answer_parse(a, line, strlen(line), &err) != rc)
        fail_msg("%s: %s", line, err.msg);
    assert_true(rc == 0 || (err.msg[0] && !a->given && !a->text[0]));
}

static void test_lines(void **state)
{
    struct answer a;
    size_t len;
    char *line = answer_line(7, 3, "s\xc3\xa9same\xff", &len);
    assert_int_equal(strlen(line), len);
    assert_int_equal(line[len - 1], '\n');
    line[len - 1] = '\0';
    assert_true(answer_is(line, len - 1));
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL); /* it is the protocol's JSON, too */
    assert_int_equal(json_integer_value(json_object_get(json, "answer")), 7);
    json_decref(json);
    parse(&a, line, 0);
    assert_true(a.given && a.id == 7 && a.number == 3);
    assert_string_equal(a.text, "s\xc3\xa9same\xff");
    mem_free_secret(line, len);

    line = answer_line(7, 3, NULL, &len);
    assert_string_equal(line, "{\"answer\":7,\"number\":3}\n");
    line[len - 1] = '\0';
    parse(&a, line, 0);
    assert_true(!a.given && !a.too_long);
    mem_free(line);

    parse(&a, " { \"answer\" : 7 , \"number\" : 3 , \"base64\" : \"\" } ", 0);
    assert_true(a.given && !a.text[0]);
}

static void test_malformed(void **state)
{
    static const char *const BAD[] = {
        "{\"answer\"",
        "{\"answer\":0,\"number\":1}",
        "{\"answer\":7}",
        "{\"answer\":7,\"number\":0}",
        "{\"answer\":-7,\"number\":1}",
        "{\"answer\":9007199254740992,\"number\":1}",
        "{\"answer\":99999999999999999999999999,\"number\":1}",
        "{\"answer\":7,\"number\":1,}",
        "{\"answer\":7,\"number\":1,\"base64\":\"c2Vj}",
        "{\"answer\":7,\"number\":1,\"base64\":\"c2V\"}",
        "{\"answer\":7,\"number\":1,\"base64\":\"!!!!\"}",
        "{\"answer\":7,\"number\":1,\"base64\":\"AGEA\"}", /* a NUL in it */
        "{\"answer\":7,\"number\":1,\"base64\":\"c2Vj\"}}",
        "{\"answer\":7,\"number\":1,\"text\":\"c2Vj\"}",
    };
    struct answer a;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        parse(&a, BAD[i], ERR_PROTOCOL);
}

static void test_length(void **state)
{
    struct answer a;
    static char text[CONTROL_ANSWER_MAX * 4];
    for (size_t n = CONTROL_ANSWER_MAX - 1; n < sizeof text; n += n < CONTROL_ANSWER_MAX + 4 ? 1 : 700) {
        size_t len;
        memset(text, 'x', n);
        text[n] = '\0';
        char *line = answer_line(1, 1, text, &len);
        assert_int_equal(answer_parse(&a, line, len - 1, NULL), 0);
        assert_int_equal(a.given, n <= CONTROL_ANSWER_MAX);
        assert_int_equal(a.too_long, n > CONTROL_ANSWER_MAX);
        assert_true(!a.too_long || !a.text[0]);
        mem_free(line);
    }
}

/* No second copy of a line stays behind in the buffer that it came through. */
static void test_buffer_keeps_no_copy(void **state)
{
    struct line_buf b;
    char *room, *line;
    size_t size, len;
    line_buf_init(&b, 1 << 20);
    assert_int_equal(line_buf_room(&b, &room, &size), 0);
    memcpy(room, "first\nSECR", 10);
    line_buf_fill(&b, 10);
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_int_equal(line_buf_room(&b, &room, &size), 0);
    memcpy(room, "ET\n", 3);
    line_buf_fill(&b, 3);
    assert_int_equal(line_buf_next(&b, &line, &len, NULL), 1);
    assert_string_equal(line, "SECRET");
    mem_wipe(line, len);
    assert_null(memmem(b.data, 16, "SECR", 4));
    line_buf_done(&b);
}

/* ---- the daemon's end, from raw clients ---- */

static void test_answers_reach_the_request(void **state)
{
    int fd = rig_hello(*state);
    rig_send(fd, "{\"id\":4,\"op\":\"ask\",\"args\":{\"number\":9}}\n");
    rig_expect(
        fd, "{\"id\":4,\"question\":{\"vm\":\"win11\",\"kind\":\"passphrase\",\"prompt\":\"Open?\",\"echo\":"
            "false,\"number\":9}}");
    rig_send(fd, "{\"answer\":5,\"number\":9,\"base64\":\"c2Vj\"}\n"); /* of no request: passed over */
    rig_send(fd, "{\"answer\":4,\"number\":9,\"base64\":\"c2Vj\"}\n");
    rig_expect(fd, "{\"id\":4,\"ok\":{\"number\":9,\"text\":\"sec\",\"why\":null}}");
    rig_send(fd, "{\"answer\":4,\"number\":9,\"base64\":\"c2Vj\"}\n"); /* too late: passed over */
    rig_send(fd, "{\"id\":5,\"op\":\"ask\",\"args\":{\"number\":1}}\n");
    rig_expect(fd, "question");
    rig_send(fd, "{\"answer\":5,\"number\":1}\n");
    rig_expect(fd, "\"text\":null,\"why\":\"none was given\"");
    close(fd);
}

static void test_long_answers_are_none(void **state)
{
    static char line[CONTROL_ANSWER_MAX * 8];
    int fd = rig_hello(*state);
    rig_send(fd, "{\"id\":4,\"op\":\"ask\",\"args\":{\"number\":1}}\n");
    rig_expect(fd, "question");
    int n = snprintf(line, sizeof line, "{\"answer\":4,\"number\":1,\"base64\":\"");
    memset(line + n, 'A', CONTROL_ANSWER_MAX * 4);
    snprintf(line + n + CONTROL_ANSWER_MAX * 4, 8, "\"}\n");
    memset(line + n, 'Y', CONTROL_ANSWER_MAX * 4);
    rig_send(fd, line);
    rig_expect(fd, "\"text\":null,\"why\":\"the answer is longer than 1024 bytes\"");
    close(fd);
}

static void test_malformed_answers_end_the_connection(void **state)
{
    int fd = rig_hello(*state);
    rig_send(fd, "{\"answer\":4,\"number\":1,\"base64\":\"secret!\"}\n");
    char line[512];
    rig_line(fd, line, sizeof line);
    assert_non_null(strstr(line, "\"protocol\""));
    assert_null(strstr(line, "secret"));
    rig_expect_end(fd);
    fd = rig_connect(*state); /* before the hello */
    rig_send(fd, "{\"answer\":4,\"number\":1}\n");
    rig_expect(fd, "adit");
    rig_expect(fd, "protocol");
    rig_expect_end(fd);
}

/* ---- adit's end ---- */

struct person {
    const char *says; /* NULL: nothing */
    unsigned later;   /* so often something else comes first */
    unsigned asked, withdrawn, progress;
};

static enum control_asked answer_it(void *arg, const struct control_question *q, int wake_fd,
                                    char answer[CONTROL_ANSWER_MAX + 1])
{
    struct person *p = arg;
    p->asked++;
    assert_true(wake_fd >= 0);
    assert_string_equal(q->vm, "win11");
    assert_string_equal(q->kind, "passphrase");
    assert_string_equal(q->prompt, "Open?");
    assert_false(q->echo);
    if (p->later > 0) {
        p->later--;
        return CONTROL_ASKED_LATER;
    }
    if (p->says)
        strcpy(answer, p->says);
    return p->says ? CONTROL_ASKED_ANSWER : CONTROL_ASKED_NONE;
}

static void withdraw_it(void *arg)
{
    ((struct person *)arg)->withdrawn++;
}

static void count_progress(void *arg, const char *text)
{
    ((struct person *)arg)->progress++;
}

static int call(const struct rig *r, struct person *p, json_t *args, json_t **data, struct err *err)
{
    struct control_client *c = NULL;
    const struct control_watch watch = {
        .progress = count_progress, .question = answer_it, .withdrawn = withdraw_it, .arg = p};
    assert_int_equal(control_client_open(&c, r->path, 5000, err), 0);
    int rc = control_call_watch(c, "ask", args, 5000, p ? &watch : NULL, data, NULL, err);
    control_client_close(c);
    return rc;
}

static void expect_text(json_t *data, const char *text)
{
    const char *got = json_string_value(json_object_get(data, "text"));
    if (text)
        assert_string_equal(got, text);
    else
        assert_null(got);
    json_decref(data);
}

static void test_client_answers(void **state)
{
    struct person p = {.says = "pass \"phrase\"", .later = 3};
    struct err err = {0};
    json_t *data;
    assert_int_equal(call(*state, &p, json_pack("{s:i, s:b}", "number", 1, "progress", 1), &data, &err), 0);
    expect_text(data, "pass \"phrase\"");
    assert_int_equal(p.asked, 4);
    assert_int_equal(p.withdrawn, 0);
    struct person nobody = {0};
    assert_int_equal(call(*state, &nobody, json_pack("{s:i}", "number", 1), &data, &err), 0);
    expect_text(data, NULL);
}

static void test_client_that_asks_nobody(void **state)
{
    struct err err = {0};
    json_t *data;
    assert_int_equal(call(*state, NULL, json_pack("{s:i}", "number", 1), &data, &err), 0);
    expect_text(data, NULL);
}

static void test_withdrawn(void **state)
{
    struct person p = {.says = "too late", .later = 1000000};
    struct err err = {0};
    json_t *data;
    assert_int_equal(call(*state, &p, json_pack("{s:i, s:b}", "number", 1, "withdraw", 1), &data, &err), 0);
    assert_string_equal(json_string_value(data), "withdrawn");
    json_decref(data);
    assert_int_equal(p.withdrawn, 1);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_buffer_keeps_no_copy),
        EACH(test_answers_reach_the_request),
        EACH(test_long_answers_are_none),
        EACH(test_malformed_answers_end_the_connection),
        EACH(test_client_answers),
        EACH(test_client_that_asks_nobody),
        EACH(test_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
