//! Requests and their signatures: a method, a path, a query, headers and a body, a line each.
//!
//! What must stay true: no bytes of a stranger are signed well; a request that is signed here is.

use stator_iam::Secret;
use stator_iam::sigv4::{CredentialScope, Headers, PayloadHash, Presented, Request, Signer, Timestamp, sign};

use crate::{Target, text, way};

pub(crate) const TARGET: Target = Target {
    name: "signature",
    words: &[
        "POST\n/\n\n",
        "authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/dynamodb/aws4_request, ",
        "SignedHeaders=host;x-amz-date, ",
        "Signature=0000000000000000000000000000000000000000000000000000000000000000",
        "host: a\n",
        "x-amz-date: 20260101T000000Z\n",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&",
        "X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fdynamodb%2Faws4_request&",
        "X-Amz-Expires=900&",
        "X-Amz-SignedHeaders=host&",
        "X-Amz-Date=20260101T000000Z&",
        "%2F",
        "%",
        "  ",
        ";",
        "x-amz-content-sha256: ",
        "UNSIGNED-PAYLOAD",
        "x-amz-target: ",
        "date: ",
    ],
    run,
};

/// 2026-01-01.
const NOW: Timestamp = Timestamp(1_767_225_600);
const SECRET: &str = "secret";

struct Given(Vec<(String, String)>);

impl Headers for Given {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.0.iter().filter(|(known, _)| known == name).for_each(|(_, value)| visit(value.as_bytes()));
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn run(input: &[u8]) -> String {
    let text = text(input);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let (method, path, query) = (next(), next(), next());
    let split = |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    let headers = Given(lines.filter_map(split).collect());
    let request = Request { method: &method, path: &path, query: &query, headers: &headers };
    let signer = Signer::new(Secret::new(SECRET.to_owned()));
    let presented = Presented::read(&request);
    let presented = match &presented {
        Ok(presented) => presented,
        Err(error) => return way(error),
    };
    let error = presented.verify(&request, || PayloadHash::of(b""), &signer, NOW).expect_err("a signature was guessed");
    // The same request, signed: whoever knows the secret is let in, unless something else than the signature is wrong.
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let scope = CredentialScope { access_key_id: "AKIA".into(), date: NOW.date(), region: "us-east-1".into(), service: "dynamodb".into() };
    let signature = sign(&request, &presented.signed_headers, hash, &scope, NOW, &Secret::new(SECRET.to_owned()));
    let signature = String::from_utf8(signature.to_vec()).expect("hexadecimal digits");
    let well = Presented {
        algorithm: "AWS4-HMAC-SHA256".into(),
        scope,
        signature: signature.into(),
        signed_at: NOW,
        signed_headers: presented.signed_headers.clone(),
        form: presented.form,
    };
    let again = match well.verify(&request, || PayloadHash::of(b""), &signer, NOW) {
        Ok(()) => "good".to_owned(),
        Err(error) => way(&error),
    };
    format!("{} {again}", way(&error))
}
