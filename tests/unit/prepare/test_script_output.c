/*
 * Run Command's answers: both systems' shapes, cut ones, and wrong ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "prepare/script.h"

#define OK "\"code\":\"ProvisioningState/succeeded\",\"level\":\"Info\",\"displayStatus\":\"Ready\""
#define FAILED "\"code\":\"ProvisioningState/failed/1\",\"level\":\"Error\""
#define WIN(stream) "\"code\":\"ComponentStatus/" stream "/succeeded\""

static const struct {
    const char *json, *out, *bad;
} good[] = {
    {"{\"value\":[{" OK ",\"message\":\"Enable succeeded: \\n[stdout]\\nadit: added\\n\\n[stderr]\\n\"}]}",
     "adit: added\n", ""},
    {"{\"value\":[{" OK ",\"message\":\"Enable succeeded: \\n[stdout]\\n\\n[stderr]\\nadit: no\\n\"}]}", "",
     "adit: no\n"},
    {"{\"status\":\"Succeeded\",\"properties\":{\"output\":{\"value\":[{" OK
     ",\"message\":\"Enable succeeded: \\n[stdout]\\na\\nb\\n[stderr]\\nc\\nd\"}]}}}",
     "a\nb", "c\nd"},
    {"{\"value\":[{" WIN("StdOut") ",\"message\":\"adit: host keys\\r\\nssh-rsa A\\r\\nadit: "
                                   "end\\r\\n\"},{" WIN("StdErr") ",\"message\":\"\"}]}",
     "adit: host keys\nssh-rsa A\nadit: end\n", ""},
    {"{\"value\":[{" WIN("StdErr") ",\"message\":\"oh\"},{" WIN("StdOut") ",\"message\":\"ah\"}]}", "ah",
     "oh"},
    {"{\"value\":[{\"code\":\"componentstatus/stdout/SUCCEEDED\",\"message\":\"x\"}]}", "x", ""},
    {"{\"value\":[{" WIN("StdErr") ",\"message\":\"x\"}]}", "", "x"},
    /* the head was cut off: with the mark, and in the middle of standard error */
    {"{\"value\":[{" OK ",\"message\":\"ut]\\ntail\\n[stderr]\\nwhy\"}]}", "ut]\ntail", "why"},
    {"{\"value\":[{" OK ",\"message\":\"no mark at all\"}]}", "no mark at all", ""},
    {"{\"value\":[{" OK ",\"message\":\"\"}]}", "", ""},
    {"{\"value\":[{" OK ",\"message\":\"[stdout]\\n\"}]}", "", ""},
    {"{\"value\":[{" OK ",\"message\":\"[stderr]\\n\"}]}", "", ""},
    /* marks that the script itself wrote */
    {"{\"value\":[{" OK ",\"message\":\"E: \\n[stdout]\\nx [stderr]\\n[stderr]\\ny\\n[stderr]\\nz\"}]}",
     "x [stderr]\n[stderr]\ny", "z"},
    /* a script that failed without a word */
    {"{\"value\":[{" FAILED ",\"message\":\"Enable failed: exit status=1\\n[stdout]\\n\\n[stderr]\\n\"}]}",
     "", "Enable failed: exit status=1"},
    {"{\"value\":[{" FAILED
     ",\"message\":\"Enable failed: exit status=1\\n[stdout]\\no\\n[stderr]\\nadit: why\"}]}",
     "o", "adit: why"},
    /* nothing that moves a terminal's cursor */
    {"{\"value\":[{" OK
     ",\"message\":\"[stdout]\\na\\u001b[2Jb\\rc\\td\\u0007\\u007f\\n[stderr]\\n\\u001b]0;x\"}]}",
     "a?[2Jb?c\td??", "?]0;x"},
    /* entries of other types are passed over */
    {"{\"value\":[7,null,[],{\"code\":1,\"message\":2},{" OK ",\"message\":\"[stdout]\\nx\"}]}", "x", ""},
};

static const char *const wrong[] = {
    "{}",
    "[]",
    "{\"value\":{}}",
    "{\"value\":[]}",
    "{\"value\":[{}]}",
    "{\"value\":[{\"code\":\"x\"}]}",
    "{\"value\":[{\"message\":\"x\"}]}",
    "{\"value\":\"text\"}",
    "{\"properties\":{\"output\":7}}",
    "{\"properties\":[],\"value\":3}",
};

static void test_shapes(void **state)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        json_t *j = json_loads(good[i].json, 0, NULL);
        char *out, *bad;
        struct err err = {0};
        assert_non_null(j);
        if (script_output(j, &out, &bad, &err) < 0)
            fail_msg("%s: %s", good[i].json, err.msg);
        assert_string_equal(out, good[i].out);
        assert_string_equal(bad, good[i].bad);
        mem_free(out), mem_free(bad);
        json_decref(j);
    }
}

static void refused(json_t *j, int code)
{
    char *out, *bad;
    struct err err = {0};
    assert_int_equal(script_output(j, &out, &bad, &err), code);
    assert_null(out);
    assert_null(bad);
    assert_true(strncmp(err.msg, "Run Command: ", 13) == 0);
    json_decref(j);
}

static void test_wrong_shapes(void **state)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(json_loads(wrong[i], 0, NULL), ERR_PROTOCOL);
    refused(NULL, ERR_PROTOCOL);
}

static void test_too_much(void **state)
{
    char *text = mem_zalloc(65536 + 2);
    memset(text, 'x', 65536 + 1);
    refused(json_pack("{s:[{s:s,s:s}]}", "value", "code", "c", "message", text), ERR_PROTOCOL);
    mem_free(text);
    json_t *many = json_array();
    for (int i = 0; i < 16; i++)
        json_array_append_new(many, json_object());
    json_array_append_new(many, json_pack("{s:s,s:s}", "code", "c", "message", "m"));
    refused(json_pack("{s:o}", "value", many), ERR_PROTOCOL);
}

static void test_out_of_memory(void **state)
{
    for (int k = 0; k < 2; k++) {
        json_t *j = json_loads(good[0].json, 0, NULL);
        mem_fail_after(k);
        refused(j, ERR_NOMEM);
    }
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
