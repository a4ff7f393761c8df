//! The signature against three judges: the vectors that AWS publishes, requests signed by botocore, and tampering.
//!
//! What must stay true: the fixtures are not ours; they are never regenerated from this code.

use super::*;
use crate::secret::Secret;

impl Headers for &[(&str, &str)] {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.iter().filter(|(candidate, _)| *candidate == name).for_each(|(_, value)| visit(value.as_bytes()));
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| *value)
    }
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SIGNED_AT: i64 = 1_795_493_106;

fn secret() -> Secret {
    Secret::new(SECRET.to_owned())
}

/// Signs a request of the published suite, whose key, date, region and service are always the same.
fn suite_signature(method: &str, path: &str, query: &str, extra: &[(&str, &str)], signed_headers: &str, body: &str) -> String {
    let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
    headers.extend_from_slice(extra);
    let headers = headers.as_slice();
    let scope = CredentialScope::parse("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request").unwrap();
    let signed_at = Timestamp::parse_basic("20150830T123600Z").unwrap();
    let hash: String =
        sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(body)).iter().map(|b| format!("{b:02x}")).collect();
    let request = Request { method, path, query, headers: &headers };
    String::from_utf8(sign(&request, signed_headers, &hash, &scope, signed_at, &secret()).to_vec()).unwrap()
}

#[test]
fn signs_paths_and_queries_as_the_published_suite_does() {
    let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let unreserved = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let cases = [
        ("get-vanilla", "/", "", vanilla),
        ("get-relative", "/example/..", "", vanilla),
        ("get-relative-relative", "/example1/example2/../..", "", vanilla),
        ("get-slash-dot-slash", "/./", "", vanilla),
        ("get-slash", "//", "", vanilla),
        ("get-slash-pointless-dot", "/./example", "", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"),
        ("get-slashes", "//example//", "", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        ("get-space", "/example space/", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("get-utf8", "/\u{1234}", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("get-unreserved", unreserved, "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        (
            "get-vanilla-query-order-key-case",
            "/",
            "Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("get-vanilla-empty-query-key", "/", "Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
    ];
    for (name, path, query, expected) in cases {
        assert_eq!(suite_signature("GET", path, query, &[], "host;x-amz-date", ""), expected, "{name}");
    }
}

#[test]
fn signs_headers_and_bodies_as_the_published_suite_does() {
    let my = "host;my-header1;x-amz-date";
    let duplicate = [("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")];
    let order = [("my-header1", "value4"), ("my-header1", "value1"), ("my-header1", "value3"), ("my-header1", "value2")];
    let trim = [("my-header1", " value1"), ("my-header2", " \"a   b   c\"")];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(suite_signature("GET", "/", "", &duplicate, my, ""), "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
    assert_eq!(suite_signature("GET", "/", "", &order, my, ""), "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01");
    assert_eq!(
        suite_signature("GET", "/", "", &trim, "host;my-header1;my-header2;x-amz-date", ""),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
    );
    assert_eq!(
        suite_signature("POST", "/", "", &[], "host;x-amz-date", ""),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    );
    assert_eq!(
        suite_signature("POST", "/", "Param1=value1", &[], "host;x-amz-date", ""),
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"
    );
    assert_eq!(
        suite_signature("POST", "/", "", &form, "content-type;host;x-amz-date", "Param1=value1"),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    );
}

/// A request as botocore signed it.
struct Signed {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

impl Signed {
    fn check(&self, now: i64) -> Result<(), SignatureError> {
        self.check_with(self.headers, self.body, now)
    }

    fn check_with(&self, headers: &[(&str, &str)], body: &str, now: i64) -> Result<(), SignatureError> {
        let request = Request { method: self.method, path: self.path, query: self.query, headers: &headers };
        let presented = Presented::read(&request)?;
        presented.verify(&request, || PayloadHash::of(body.as_bytes()), &Signer::new(secret()), Timestamp(now))
    }
}

#[test]
fn accepts_what_botocore_signs() {
    for signed in FIXTURES {
        assert_eq!(signed.check(SIGNED_AT), Ok(()), "{}", signed.name);
    }
}

#[test]
fn any_change_of_a_signed_part_is_a_mismatch() {
    for signed in FIXTURES {
        let target = signed.headers.iter().position(|(name, _)| *name == "x-amz-target").unwrap();
        let mut headers = signed.headers.to_vec();
        headers[target].1 = "DynamoDB_20120810.DeleteTable";
        assert_eq!(signed.check_with(&headers, signed.body, SIGNED_AT), Err(SignatureError::Mismatch), "{}", signed.name);
        let covers_body = !signed.headers.contains(&("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
        let with_other_body = signed.check_with(signed.headers, "{\"TableName\":\"Other\"}", SIGNED_AT);
        assert_eq!(with_other_body.is_err(), covers_body, "{}", signed.name);
    }
}

#[test]
fn a_target_that_was_not_signed_is_refused() {
    let mut headers = FIXTURES[0].headers.to_vec();
    let authorization = headers.iter().position(|(name, _)| *name == "authorization").unwrap();
    let text = headers[authorization].1.replace(";x-amz-target", "");
    headers[authorization].1 = &text;
    let refused = FIXTURES[0].check_with(&headers, FIXTURES[0].body, SIGNED_AT);
    assert_eq!(refused, Err(SignatureError::UnsignedHeader("x-amz-target")));
}

#[test]
fn a_signature_is_good_for_fifteen_minutes_either_way() {
    let put = &FIXTURES[0];
    assert_eq!(put.check(SIGNED_AT + 900), Ok(()));
    assert_eq!(put.check(SIGNED_AT - 900), Ok(()));
    assert!(matches!(put.check(SIGNED_AT + 901), Err(SignatureError::Expired { .. })));
    assert!(matches!(put.check(SIGNED_AT - 901), Err(SignatureError::NotYetCurrent { .. })));
}

#[test]
fn a_pre_signed_request_is_good_for_as_long_as_it_says() {
    let signed = FIXTURES.iter().find(|signed| signed.name == "a pre-signed request").unwrap();
    assert_eq!(signed.check(SIGNED_AT + 3600), Ok(()));
    assert!(matches!(signed.check(SIGNED_AT + 3601), Err(SignatureError::Expired { window_seconds: 3600, .. })));
}

fn read(query: &str, headers: &[(&str, &str)]) -> Result<(), SignatureError> {
    Presented::read(&Request { method: "POST", path: "/", query, headers: &headers }).map(drop)
}

#[test]
fn all_missing_parts_are_listed() {
    let lacking = |result| match result {
        Err(SignatureError::Incomplete(incomplete)) => incomplete.lacking,
        other => panic!("not incomplete: {other:?}"),
    };
    let all = [Part::Credential, Part::Signature, Part::SignedHeaders, Part::Date];
    assert_eq!(lacking(read("", &[("authorization", "AWS4-HMAC-SHA256")])), all);
    assert_eq!(
        lacking(read("", &[("authorization", "AWS4-HMAC-SHA256 Signature=a, Credential="), ("date", "x")])),
        [all[0], all[2], all[3]]
    );
    let with_date = [("authorization", "AWS4-HMAC-SHA256 Credential=c,Signature=s"), ("x-amz-date", "20150830T123600Z")];
    assert_eq!(lacking(read("", &with_date)), [Part::SignedHeaders]);
    assert_eq!(lacking(read("X-Amz-Algorithm&X-Amz-Date=20150830T123600Z", &[])), [Part::Algorithm, all[0], all[1], all[2]]);
}

#[test]
fn a_request_without_a_signature_or_with_two_is_refused() {
    assert_eq!(read("", &[]), Err(SignatureError::MissingToken));
    assert_eq!(read("", &[("authorization", "Bearer abc")]), Err(SignatureError::MissingToken));
    let both = read("X-Amz-Algorithm=AWS4-HMAC-SHA256", &[("authorization", "AWS4-HMAC-SHA256 Credential=a")]);
    assert_eq!(both, Err(SignatureError::TwoForms));
}

#[test]
fn the_scope_must_be_of_this_service_and_day() {
    let check = |credential: &str| {
        let (algorithm, credential) = credential.split_once(' ').unwrap_or(("AWS4-HMAC-SHA256", credential));
        let authorization = format!("{algorithm} Credential={credential}, SignedHeaders=host, Signature=s");
        let headers = [("authorization", authorization.as_str()), ("x-amz-date", "20150830T123600Z"), ("host", "h")];
        let headers = headers.as_slice();
        let request = Request { method: "POST", path: "/", query: "", headers: &headers };
        let now = Timestamp::parse_basic("20150830T123600Z").unwrap();
        Presented::read(&request)?.verify(&request, || PayloadHash::of(b""), &Signer::new(secret()), now)
    };
    assert!(matches!(check("AKID/20150830/us-east-1/s3/aws4_request"), Err(SignatureError::Scope(ScopeError::Service(_)))));
    assert!(matches!(check("AKID/20150831/us-east-1/dynamodb/aws4_request"), Err(SignatureError::Scope(ScopeError::Date { .. }))));
    let other = check("AWS4-HMAC-SHA512 AKID/20150830/us-east-1/dynamodb/aws4_request");
    assert_eq!(other, Err(SignatureError::Algorithm("AWS4-HMAC-SHA512".to_owned())));
    assert!(matches!(check("AKID"), Err(SignatureError::Scope(ScopeError::Parts(_)))));
    assert_eq!(check("AKID/20150830/us-east-1/dynamodb/aws4_request"), Err(SignatureError::Mismatch));
}

proptest::proptest! {
    #[test]
    fn no_request_makes_reading_or_verifying_panic(query in ".{0,80}", authorization in "(AWS4-HMAC-SHA256 )?.{0,120}", path in "/.{0,40}") {
        let headers = [("authorization", authorization.as_str()), ("x-amz-date", "20150830T123600Z"), ("host", "h")];
        let headers = headers.as_slice();
        let request = Request { method: "POST", path: &path, query: &query, headers: &headers };
        if let Ok(presented) = Presented::read(&request) {
            let refused = presented.verify(&request, || PayloadHash::of(b""), &Signer::new(secret()), presented.signed_at);
            proptest::prop_assert!(refused.is_err());
        }
    }

    #[test]
    fn the_order_of_parameters_and_the_spacing_of_headers_do_not_matter(
        mut pairs in proptest::collection::vec(("[a-zA-Z0-9~._-]{1,4}", "[a-zA-Z0-9%~._-]{0,4}"), 0..6),
        words in proptest::collection::vec("[!-~]{1,6}", 0..4),
    ) {
        let query = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let (one, tight) = (query(&pairs), words.join(" "));
        pairs.reverse();
        let (other, loose) = (query(&pairs), format!("  {} ", words.join("   ")));
        let names = "host;x-amz-date;x-words";
        proptest::prop_assert_eq!(
            suite_signature("POST", "/", &one, &[("x-words", &tight)], names, ""),
            suite_signature("POST", "/", &other, &[("x-words", &loose)], names, "")
        );
    }
}

/// Signed by botocore 1.43 at 2026-11-24T04:05:06Z. It pre-signs over an empty body.
const FIXTURES: &[Signed] = &[
    Signed {
        name: "a put",
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("x-amz-date", "20261124T040506Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/eu-west-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=67d881906a09875988f3df53bec54815c89195ac453b09433b469afa72215062",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{\"TableName\":\"Music\",\"Item\":{\"Artist\":{\"S\":\"Bj\\u00f6rk\"}}}",
    },
    Signed {
        name: "a session token",
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "DynamoDBStreams_20120810.ListStreams"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("x-amz-date", "20261124T040506Z"),
            ("x-amz-security-token", "TOKEN/abc=="),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=ecc7cc6238c413237938f02aac81960780a3359444d505c55693a6145daced76",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{}",
    },
    Signed {
        name: "an unsigned payload",
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("x-amz-date", "20261124T040506Z"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target, Signature=cfbf11d15b4eb9a4941561fed64b6b68127c2fa8198ad4e49766e54fda3e4cce",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{}",
    },
    Signed {
        name: "a date header",
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("date", "Tue, 24 Nov 2026 04:05:06 -0000"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;date;host;x-amz-target, Signature=ed21ffeb197ab4440ad6abce09f5661ae7c0f0fc3ffd7b0b6d7b3d41384472dd",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{}",
    },
    Signed {
        name: "a path and a query",
        method: "POST",
        path: "/a%20b/../c//d%2Fe/",
        query: "b=2&a=1&a=0&c=%20x",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("x-amz-date", "20261124T040506Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=ca71718c0dc8d2c3f3d1a4995d46725aa517ef709070a6544d69a39145047bf9",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{}",
    },
    Signed {
        name: "inner spaces of a header",
        method: "POST",
        path: "/",
        query: "",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("x-amz-meta", "  two   spaces "),
            ("x-amz-date", "20261124T040506Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-meta;x-amz-target, Signature=23f83ee2bd1812d22bb32b701f2d1d69ccbcc71c8dabe9153f86e50a78d7b7a7",
            ),
            ("host", "localhost:8000"),
        ],
        body: "{}",
    },
    Signed {
        name: "a pre-signed request",
        method: "POST",
        path: "/",
        query: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261124%2Fus-east-1%2Fdynamodb%2Faws4_request&X-Amz-Date=20261124T040506Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target&X-Amz-Signature=623b2efaba5b9870aeb4729e85c26c2ed16298b4a32cab09d216db1ab04704d9",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("host", "localhost:8000"),
        ],
        body: "",
    },
    Signed {
        name: "a pre-signed request with a session token",
        method: "POST",
        path: "/",
        query: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261124%2Fus-east-1%2Fdynamodb%2Faws4_request&X-Amz-Date=20261124T040506Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target&X-Amz-Security-Token=TOKEN%2Fabc%3D%3D&X-Amz-Signature=841cc97add322b5ac8726cc8a341f01343bcaec20cbdeb88fcc0f8504287eaf0",
        headers: &[
            ("x-amz-target", "DynamoDB_20120810.PutItem"),
            ("content-type", "application/x-amz-json-1.0"),
            ("user-agent", "Botocore/1.43"),
            ("host", "localhost:8000"),
        ],
        body: "",
    },
];
