"""Every way to sign in that Azure Identity knows, and what ARM says of tokens that do not count (any more)."""

import base64
import json
import os
import stat
import subprocess
import time
import urllib.parse

from sandbox_fixture import Case, main, text_of, wait_for

CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def openssl(*args, data=b""):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True, timeout=30).stdout


class IdentityCase(Case):
    def sourced(self, kind):
        """What a shell has after it sourced env.KIND."""
        script = ". %s/env; . %s/env.%s; env -0" % (self.sb.dir, self.sb.dir, kind)
        out = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=30).stdout
        return dict(line.split("=", 1) for line in out.split("\0") if "=" in line)

    def token_works(self, token, status=200):
        got = self.sb.http("GET", "/subscriptions?api-version=2022-12-01", headers={"Authorization": "Bearer " + token})
        self.assertEqual(got[0], status, got[2])

    def post(self, form, leaf="token", tenant=None):
        path = "/%s/oauth2/v2.0/%s" % (tenant or self.sb.env["AZURE_TENANT_ID"], leaf)
        return self.sb.http("POST", path, form, form=True)


class Assertions(IdentityCase):
    def form(self, assertion):
        return {"grant_type": "client_credentials", "client_id": self.sb.env["AZURE_CLIENT_ID"],
                "scope": self.sb.base + "/.default", "client_assertion_type": ASSERTION, "client_assertion": assertion}

    def assertion(self, alg="PS256", path=None, **changes):
        path = path or self.sb.path("client.pem")
        der = openssl("x509", "-in", path, "-outform", "DER")
        digest = "sha256" if alg == "PS256" else "sha1"
        header = {"alg": alg, "typ": "JWT",
                  "x5t#S256" if alg == "PS256" else "x5t": b64(openssl("dgst", "-" + digest, "-binary", data=der))}
        client, now = self.sb.env["AZURE_CLIENT_ID"], int(time.time())
        claims = {"aud": "%s/%s/oauth2/v2.0/token" % (self.sb.base, self.sb.env["AZURE_TENANT_ID"]), "iss": client, "sub": client,
                  "jti": "1", "nbf": now, "exp": now + 600, **changes}
        signed = b64(header) + "." + b64(claims)
        how = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if alg == "PS256" else []
        return signed + "." + b64(openssl("dgst", "-sha256", "-sign", path, *how, data=signed.encode()))

    def refused(self, assertion):
        status, _, body = self.post(self.form(assertion))
        self.assertEqual((status, body["error"]), (401, "invalid_client"))
        return body["error_codes"][0]

    def test_certificate(self):
        for alg in ("PS256", "RS256"):
            status, _, body = self.post(self.form(self.assertion(alg)))
            self.assertEqual(status, 200, body)
            self.token_works(body["access_token"])

    def test_what_is_wrong_is_refused(self):
        now = int(time.time())
        self.assertEqual(self.refused(self.assertion(aud=self.sb.base + "/organizations/oauth2/v2.0/token")), 700023)
        self.assertEqual(self.refused(self.assertion(iss="someone")), 700021)
        self.assertEqual(self.refused(self.assertion(exp=now - 1)), 700024)
        self.assertEqual(self.refused(self.assertion(jti="")), 700024)
        good = self.assertion()
        head, claims, signature = good.split(".")
        self.assertEqual(self.refused(".".join([head, b64({"iss": "x"}), signature])), 700027)
        self.assertEqual(self.refused(head + "." + claims), 700027)
        self.assertEqual(self.refused("..."), 700027)

    def test_another_certificate_is_refused(self):
        path = self.sb.path("other.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", path, "-out", path + ".crt")
        with open(path, "a") as f:
            f.write(text_of(path + ".crt"))
        self.assertEqual(self.refused(self.assertion(path=path)), 700027)

    def test_files(self):
        env = self.sourced("pfx")
        self.assertNotIn("AZURE_CLIENT_SECRET", env)
        out = openssl("pkcs12", "-in", env["AZURE_CLIENT_CERTIFICATE_PATH"], "-nodes", "-passin",
                      "pass:" + env["AZURE_CLIENT_CERTIFICATE_PASSWORD"])
        self.assertIn(b"BEGIN CERTIFICATE", out)
        self.assertEqual(stat.S_IMODE(os.stat(self.sourced("certificate")["AZURE_CLIENT_CERTIFICATE_PATH"]).st_mode), 0o600)

    def test_federated(self):
        token = text_of(self.sourced("federated")["AZURE_FEDERATED_TOKEN_FILE"])
        status, _, body = self.post(self.form(token))
        self.assertEqual(status, 200, body)
        self.token_works(body["access_token"])
        head, _, signature = token.split(".")
        self.assertEqual(self.refused(".".join([head, b64({"iss": "https://oidc.sandbox.example"}), signature])), 700027)


class Metadata(IdentityCase):
    def get(self, endpoint, version, headers, resource=None, **more):
        query = {"api-version": version, "resource": resource or self.sb.base, **more}
        return self.sb.http("GET", endpoint + "?" + urllib.parse.urlencode(query), headers=headers)

    def imds(self, headers=None, version="2018-02-01", **more):
        host = self.sourced("imds")["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
        return self.get(host + "/metadata/identity/oauth2/token", version, headers or {}, **more)

    def test_imds(self):
        status, _, body = self.imds({"Metadata": "true"})
        self.assertEqual((status, body["token_type"], body["resource"]), (200, "Bearer", self.sb.base))
        self.assertIsInstance(body["expires_in"], str)
        self.assertGreater(int(body["expires_on"]), time.time() + 300)
        self.token_works(body["access_token"])
        self.assertEqual(self.imds({"Metadata": "true"}, client_id=body["client_id"])[0], 200)
        for refused in (self.imds(), self.imds({"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}),
                        self.imds({"Metadata": "true"}, client_id="00000000-0000-0000-0000-000000000000"),
                        self.imds({"Metadata": "true"}, version="2001-01-01"),
                        self.imds({"Metadata": "true"}, resource="https://vault.example")):
            self.assertEqual(refused[0], 400, refused[2])
            self.assertIn("error_description", refused[2])

    def test_imds_fails_on_request(self):
        self.sb.ctl_ok("identity", "fail", "410", "1")
        self.assertEqual([self.imds({"Metadata": "true"})[0] for _ in range(2)], [410, 200])

    def test_app_service(self):
        env = self.sourced("app-service")
        ask = {"X-IDENTITY-HEADER": env["IDENTITY_HEADER"]}
        status, _, body = self.get(env["IDENTITY_ENDPOINT"], "2019-08-01", ask)
        self.assertEqual((status, "expires_in" in body), (200, False))
        self.assertIsInstance(body["expires_on"], str)
        self.token_works(body["access_token"])
        self.assertEqual(self.get(env["IDENTITY_ENDPOINT"], "2019-08-01", {"X-IDENTITY-HEADER": "x"})[0], 401)
        self.assertEqual(self.get(env["IDENTITY_ENDPOINT"], "2019-08-01", {})[0], 401)

    def test_arc(self):
        env = self.sourced("arc")
        self.assertNotIn("IDENTITY_HEADER", env)
        ask = {"Metadata": "true"}
        status, headers, _ = self.get(env["IDENTITY_ENDPOINT"], "2020-06-01", ask)
        self.assertEqual(status, 401)
        path = headers["WWW-Authenticate"].removeprefix("Basic realm=")
        self.assertTrue(path.endswith(".key"))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        proof = {"Authorization": "Basic " + text_of(path)}
        self.assertEqual(self.get(env["IDENTITY_ENDPOINT"], "2020-06-01", proof)[0], 400)
        self.assertEqual(self.get(env["IDENTITY_ENDPOINT"], "2020-06-01", {**ask, "Authorization": "Basic x"})[0], 401)
        status, _, body = self.get(env["IDENTITY_ENDPOINT"], "2020-06-01", {**ask, **proof})
        self.assertEqual(status, 200)
        self.token_works(body["access_token"])
        self.assertEqual(self.get(env["IDENTITY_ENDPOINT"], "2020-06-01", {**ask, **proof})[0], 401)

    def test_each_caller_is_counted_alone(self):
        left = "x-ms-ratelimit-remaining-tenant-reads"
        self.sb.ctl_ok("arm", "clear")
        self.sb.arm("GET", "//subscriptions")
        token = self.imds({"Metadata": "true"})[2]["access_token"]
        headers = self.sb.http("GET", "/subscriptions?api-version=2022-12-01", headers={"Authorization": "Bearer " + token})[1]
        self.assertEqual(headers[left], "249")


class Device(IdentityCase):
    def begin(self):
        scope = self.sb.base + "/.default offline_access openid profile"
        status, _, body = self.post({"client_id": CLI, "scope": scope}, "devicecode", "organizations")
        self.assertEqual(status, 200, body)
        self.assertTrue(body["verification_uri"].startswith("https://"))
        self.assertIn(body["user_code"], body["message"])
        return body

    def poll(self, code):
        return self.post({"grant_type": DEVICE, "client_id": CLI, "device_code": code["device_code"]}, tenant="organizations")

    def settled(self, code):
        """Polls politely until the answer is not that it is pending; its status and body."""
        def ask():
            time.sleep(code["interval"])
            status, _, body = self.poll(code)
            return None if body.get("error") == "authorization_pending" else (status, body)
        return wait_for(ask)

    def refresh(self, token):
        return self.post({"grant_type": "refresh_token", "client_id": CLI, "refresh_token": token,
                          "scope": self.sb.base + "/.default offline_access"})

    def test_approved(self):
        code = self.begin()
        self.assertEqual([self.poll(code)[2]["error"] for _ in range(2)], ["authorization_pending", "slow_down"])
        self.sb.ctl_ok("device", "approve", code["user_code"].lower())
        status, body = self.settled(code)
        self.assertEqual(status, 200, body)
        self.token_works(body["access_token"])
        part = body["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        self.assertEqual((claims["tid"], claims["aud"]), (self.sb.env["AZURE_TENANT_ID"], CLI))
        self.assertIn("@", claims["preferred_username"])
        self.assertEqual(self.poll(code)[2]["error"], "bad_verification_code")
        status, _, again = self.refresh(body["refresh_token"])
        self.assertEqual(status, 200, again)
        self.token_works(again["access_token"])
        self.assertNotEqual(again["refresh_token"], body["refresh_token"])
        self.sb.ctl_ok("device", "revoke")
        self.assertEqual(self.refresh(again["refresh_token"])[2]["error"], "invalid_grant")
        self.token_works(again["access_token"], 401)

    def test_denied(self):
        code, other = self.begin(), self.begin()
        self.sb.ctl_ok("device", "deny", code["user_code"])
        self.assertEqual(self.poll(code)[2]["error"], "authorization_declined")
        self.assertEqual(self.poll(other)[2]["error"], "authorization_pending")
        self.sb.ctl_ok("device", "deny")
        self.assertEqual(self.sb.ctl("device", "approve")[0], 1)

    def test_strangers(self):
        self.assertEqual(self.post({"client_id": "x", "scope": "s"}, "devicecode")[2]["error"], "unauthorized_client")
        self.assertEqual(self.refresh("1.x")[2]["error"], "invalid_grant")
        code = self.begin()
        form = {"grant_type": DEVICE, "client_id": self.sb.env["AZURE_CLIENT_ID"], "device_code": code["device_code"]}
        self.assertEqual(self.post(form)[2]["error"], "bad_verification_code")

    def test_env(self):
        env = self.sourced("device")
        self.assertEqual((env["AZURE_TOKEN_CREDENTIALS"], "AZURE_CLIENT_SECRET" in env), ("DeviceCodeCredential", False))
        self.assertIn("credential: auto", text_of(env["ADIT_CONFIG"]))


class Challenges(IdentityCase):
    def tearDown(self):
        self.sb.ctl_ok("arm", "clear")
        self.sb.token = None

    def test_claims(self):
        self.sb.arm("GET", "")
        self.sb.ctl_ok("arm", "claims-challenge", "2")
        status, headers, body = self.sb.arm("GET", "")
        self.assertEqual((status, body["error"]["code"]), (401, "InvalidAuthenticationToken"))
        said = headers["WWW-Authenticate"]
        self.assertIn('error="insufficient_claims"', said)
        claims = base64.b64decode(said.split('claims="')[1].split('"')[0]).decode()
        self.assertTrue(json.loads(claims)["access_token"]["nbf"]["essential"])
        good = self.sb.sign_in(claims=claims)[2]["access_token"]
        self.token_works(good)
        self.token_works(good)
        self.assertEqual(self.sb.arm("GET", "")[0], 401)
        self.assertEqual(self.sb.arm("GET", "")[0], 200)
        self.assertEqual((self.sb.requests("challenged"), self.sb.requests("token.claims")), (2, 1))

    def test_other_tenant(self):
        self.sb.ctl_ok("arm", "other-tenant", "on")
        status, headers, body = self.sb.arm("GET", "")
        self.assertEqual((status, body["error"]["code"]), (401, "InvalidAuthenticationTokenTenant"))
        right = body["error"]["message"].split("must match the tenant 'https://sts.windows.net/")[1].split("/")[0]
        self.assertIn(right, headers["WWW-Authenticate"])
        query = "Resources | where type =~ 'microsoft.compute/virtualmachines'"
        self.assertEqual(self.sb.graph(query)[2]["totalRecords"], 0)
        form = {"grant_type": "client_credentials", "client_id": self.sb.env["AZURE_CLIENT_ID"],
                "client_secret": self.sb.env["AZURE_CLIENT_SECRET"], "scope": self.sb.base + "/.default"}
        self.sb.token = self.post(form, tenant=right)[2]["access_token"]
        self.assertEqual(self.sb.arm("GET", "")[0], 200)
        self.assertGreater(self.sb.graph(query)[2]["totalRecords"], 0)


if __name__ == "__main__":
    main()
