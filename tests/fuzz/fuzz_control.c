/*
 * fuzz_control: reads any bytes as what a client sends and as what a daemon sends, cut into lines at any
 * place.
 */
#include <jansson.h>
#include <string.h>

#include "control/answer.h"
#include "control/codec.h"
#include "control/control.h"
#include "control/line.h"
#include "fuzz.h"

#define INPUT_LINE_MAX 512

static void check_answer(const char *line, size_t len)
{
    struct answer a;
    if (answer_parse(&a, line, len, NULL) < 0)
        return;
    FUZZ_CHECK(answer_is(line, len) && a.id > 0 && a.number > 0 && !(a.given && a.too_long));
    FUZZ_CHECK(memchr(a.text, '\0', sizeof a.text) && (a.given || !a.text[0]));
}

static void check_client(const char *line, size_t len)
{
    struct codec_client m;
    struct err err = {0};
    check_answer(line, len);
    if (codec_parse_client(&m, line, len, &err) < 0) {
        FUZZ_CHECK(err.code == ERR_PROTOCOL && err.msg[0] && !m.root);
        return;
    }
    if (m.kind == CODEC_REQUEST)
        FUZZ_CHECK(m.id > 0 && m.op[0] && strlen(m.op) <= CODEC_OP_MAX && json_is_object(m.args));
    else
        FUZZ_CHECK(m.kind == CODEC_HELLO ? m.version > 0 : m.id > 0);
    codec_client_done(&m);
}

static void check_daemon(const char *line, size_t len)
{
    struct codec_daemon m;
    struct codec_hello hello;
    if (codec_parse_daemon(&m, line, len, NULL) == 0) {
        FUZZ_CHECK(m.kind == CODEC_ERROR ? m.err.code < 0 : m.id > 0);
        codec_daemon_done(&m);
    }
    if (codec_parse_hello(&hello, line, len, NULL) == 0)
        FUZZ_CHECK(hello.version > 0 && memchr(hello.program, 0, sizeof hello.program));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line_buf b;
    char *line;
    size_t len, step = size > 0 ? data[0] % 64u + 1 : 1;
    int rc = 0;

    line_buf_init(&b, INPUT_LINE_MAX);
    for (size_t at = 0; rc >= 0 && at < size;) {
        char *room;
        size_t n;
        FUZZ_CHECK(line_buf_room(&b, &room, &n) == 0 && n > 0);
        n = n < step ? n : step;
        n = n < size - at ? n : size - at;
        memcpy(room, data + at, n);
        line_buf_fill(&b, n);
        at += n;
        while ((rc = line_buf_next(&b, &line, &len, NULL)) > 0) {
            FUZZ_CHECK(len < INPUT_LINE_MAX && !memchr(line, '\n', len));
            check_client(line, len);
            check_daemon(line, len);
        }
    }
    line_buf_done(&b);
    return 0;
}
