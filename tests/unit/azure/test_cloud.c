/*
 * Which endpoints azure talks to, and which URLs may be given the token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "azure/cloud.h"
#include "azure/endpoint.h"

static void named_clouds(void **state)
{
    struct azure_cloud c;
    struct err err;
    unsetenv("AZURE_AUTHORITY_HOST");
    assert_int_equal(azure_cloud_named(&c, "public", &err), 0);
    assert_string_equal(c.arm, "https://management.azure.com");
    assert_string_equal(c.login, "https://login.microsoftonline.com");
    assert_string_equal(c.scope, "https://management.azure.com/.default");
    assert_int_equal(azure_cloud_named(&c, "usgov", &err), 0);
    assert_string_equal(c.arm, "https://management.usgovcloudapi.net");
    assert_string_equal(c.login, "https://login.microsoftonline.us");
    assert_string_equal(c.scope, "https://management.usgovcloudapi.net/.default");
    assert_int_equal(azure_cloud_named(&c, "china", &err), 0);
    assert_string_equal(c.arm, "https://management.chinacloudapi.cn");
    assert_string_equal(c.login, "https://login.chinacloudapi.cn");
    assert_string_equal(c.scope, "https://management.chinacloudapi.cn/.default");
    assert_int_equal(azure_cloud_named(&c, "mars", &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, "public, usgov or china"));
}

static void authority_host_overrides(void **state)
{
    struct azure_cloud c;
    struct err err;
    setenv("AZURE_AUTHORITY_HOST", "https://login.example:444/", 1);
    assert_int_equal(azure_cloud_named(&c, "public", &err), 0);
    assert_string_equal(c.login, "https://login.example:444");
    setenv("AZURE_AUTHORITY_HOST", "http://login.example", 1);
    assert_int_equal(azure_cloud_named(&c, "public", &err), ERR_INVAL);
    assert_non_null(strstr(err.msg, "AZURE_AUTHORITY_HOST"));
    unsetenv("AZURE_AUTHORITY_HOST");
}

static void custom_cloud(void **state)
{
    static const char *const wrong[] = {"http://arm.example",
                                        "arm.example",
                                        "https://u:p@arm.example",
                                        "https://arm.example/path",
                                        "https://arm.example?q",
                                        "ftp://arm.example",
                                        "https://arm.example:99999",
                                        "",
                                        "https://"};
    struct azure_cloud c;
    struct err err;
    assert_int_equal(azure_cloud_custom(&c, "https://arm.example:8443/", NULL, &err), 0);
    assert_string_equal(c.arm, "https://arm.example:8443");
    assert_string_equal(c.scope, "https://arm.example:8443/.default");
    assert_string_equal(c.login, "https://login.microsoftonline.com");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(azure_cloud_custom(&c, wrong[i], NULL, &err), ERR_INVAL);
        assert_non_null(strstr(err.msg, "arm-endpoint"));
        assert_int_equal(azure_cloud_custom(&c, "https://arm.example", wrong[i], &err), ERR_INVAL);
        assert_non_null(strstr(err.msg, "login-endpoint"));
    }
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "https://", 8);
    longest[sizeof(longest) - 1] = 0;
    assert_true(azure_cloud_custom(&c, longest, NULL, &err) < 0);
}

static void token_goes_to_its_own_host_only(void **state)
{
    static const char arm[] = "https://management.azure.com";
    assert_true(endpoint_owns(arm, "https://management.azure.com/subscriptions?x=1"));
    assert_true(endpoint_owns(arm, "https://MANAGEMENT.azure.com:443/x"));
    assert_false(endpoint_owns(arm, "http://management.azure.com/x"));
    assert_false(endpoint_owns(arm, "https://management.azure.com:444/x"));
    assert_false(endpoint_owns(arm, "https://management.azure.com.evil.example/x"));
    assert_false(endpoint_owns(arm, "https://management.azure.com@evil.example/x"));
    assert_false(endpoint_owns(arm, "https://user@management.azure.com/x"));
    assert_false(endpoint_owns(arm, "https://evil.example\\@management.azure.com/x"));
    assert_false(endpoint_owns(arm, "https://evil.example/https://management.azure.com/"));
    assert_false(endpoint_owns(arm, "management.azure.com/x"));
    assert_false(endpoint_owns(arm, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_clouds),
        cmocka_unit_test(authority_host_overrides),
        cmocka_unit_test(custom_cloud),
        cmocka_unit_test(token_goes_to_its_own_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
