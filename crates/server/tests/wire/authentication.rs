//! Who is let in, and what the others are told.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest, Sha256};
use stator_iam::sigv4::{CredentialScope, Headers, Timestamp, sign};
use stator_iam::{Credential, Secret};
use stator_server::Gate;

use crate::harness::{NOW_SECONDS, Request, Server, Setup};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

fn verifying() -> Setup {
    let credential = Credential { access_key_id: "AKIDEXAMPLE".to_owned(), secret: Secret::new(SECRET.to_owned()) };
    Setup { gate: Gate::of(credential), ..Setup::default() }
}

struct Pairs<'a>(Vec<(String, &'a str)>);

impl Headers for Pairs<'_> {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        self.0.iter().filter(|(candidate, _)| candidate == name).for_each(|(_, value)| visit(value.as_bytes()));
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| *value)
    }
}

/// Signs a request with a secret, at a time.
fn signed<'a>(request: Request<'a>, key: &str, secret: &str, at: u64) -> Request<'a> {
    let at = Timestamp(i64::try_from(at).unwrap());
    let hash: String = Sha256::digest(&request.body).iter().map(|byte| format!("{byte:02x}")).collect();
    let request = request.with("X-Amz-Date", &at.to_string());
    let names = "host;x-amz-date;x-amz-target";
    let scope = format!("{key}/{}/us-east-1/dynamodb/aws4_request", at.date());
    let pairs = Pairs(request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect());
    let parts = stator_iam::sigv4::Request { method: "POST", path: "/", query: "", headers: &pairs };
    let signature = sign(&parts, names, &hash, &CredentialScope::parse(&scope).unwrap(), at, &Secret::new(secret.to_owned()));
    let signature = String::from_utf8(signature.to_vec()).unwrap();
    drop(pairs);
    request.with("Authorization", &format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"))
}

#[tokio::test]
async fn a_right_signature_is_let_in() {
    let server = Server::start(verifying()).await;
    let response = server.exchange(&signed(Request::of("Echo", b"{}"), "AKIDEXAMPLE", SECRET, NOW_SECONDS)).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn another_body_than_the_signed_one_is_not_let_in() {
    let server = Server::start(verifying()).await;
    let mut request = signed(Request::of("Echo", b"{\"a\":1}"), "AKIDEXAMPLE", SECRET, NOW_SECONDS);
    request.body = b"{\"a\":2}".to_vec();
    server.exchange(&request).await.is_fault(400, "InvalidSignatureException");
}

#[tokio::test]
async fn a_compressed_body_is_signed_as_it_goes_over_the_wire() {
    let server = Server::start(verifying()).await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"{\"a\":1}").unwrap();
    let request = Request::of("Echo", &gzip.finish().unwrap()).with("Content-Encoding", "gzip");
    let response = server.exchange(&signed(request, "AKIDEXAMPLE", SECRET, NOW_SECONDS)).await;
    assert_eq!((response.status, response.text()), (200, "{\"a\":1}"));
}

#[tokio::test]
async fn the_host_of_an_http_2_request_is_its_authority() {
    let server = Server::start(verifying()).await;
    let host = format!("localhost:{}", server.address.port());
    let request = signed(Request::of("Echo", b"{}").with("Host", &host), "AKIDEXAMPLE", SECRET, NOW_SECONDS);
    let stream = TokioIo::new(tokio::net::TcpStream::connect(server.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut builder = hyper::Request::post(format!("http://{host}/"));
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != "Host") {
        builder = builder.header(*name, value);
    }
    let response = sender.send_request(builder.body(Full::new(Bytes::from(request.body))).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn each_way_of_being_wrong_has_its_exception() {
    let server = Server::start(verifying()).await;
    let right = Request::of("Echo", b"{}");
    let missing = server.exchange(&right.clone().without("Authorization")).await;
    missing.is_fault(400, "MissingAuthenticationTokenException").says("\"Request is missing Authentication Token\"");
    let unknown = server.exchange(&signed(right.clone(), "AKIDOTHER", SECRET, NOW_SECONDS)).await;
    unknown.is_fault(400, "UnrecognizedClientException").says("\"The security token included in the request is invalid.\"");
    let wrong = server.exchange(&signed(right.clone(), "AKIDEXAMPLE", "other", NOW_SECONDS)).await;
    wrong.is_fault(400, "InvalidSignatureException").says("The request signature we calculated does not match");
    let old = server.exchange(&signed(right.clone(), "AKIDEXAMPLE", SECRET, NOW_SECONDS - 901)).await;
    old.is_fault(400, "InvalidSignatureException")
        .says("Signature expired: 20261124T035005Z is now earlier than 20261124T035006Z (20261124T040506Z - 15 min.)");
    let early = server.exchange(&signed(right, "AKIDEXAMPLE", SECRET, NOW_SECONDS + 901)).await;
    early
        .is_fault(400, "InvalidSignatureException")
        .says("Signature not yet current: 20261124T042007Z is still later than 20261124T042006Z (20261124T040506Z + 15 min.)");
}

#[tokio::test]
async fn an_incomplete_signature_is_told_what_it_lacks() {
    let server = Server::start(Setup::default()).await;
    let bare = Request::of("Echo", b"{}").without("X-Amz-Date").with("Authorization", "AWS4-HMAC-SHA256 Signature=abc");
    server.exchange(&bare).await.is_fault(400, "IncompleteSignatureException").says(
        "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Signature=abc",
    );
    let query = Request::of("Echo", b"{}").without("Authorization").line("POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1");
    server
        .exchange(&query)
        .await
        .is_fault(400, "IncompleteSignatureException")
        .says("AWS query-string parameters must include 'X-Amz-Date'. ");
    let both = Request::of("Echo", b"{}").line("POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1");
    server.exchange(&both).await.is_fault(400, "InvalidSignatureException").says("Found both 'X-Amz-Algorithm'");
}

#[tokio::test]
async fn without_verification_any_signature_names_its_region() {
    let server = Server::start(Setup::default()).await;
    let response = server.exchange(&Request::of("Where", b"{}")).await;
    assert_eq!(response.text(), "{\"at\":\"000000000000 eu-north-7 localhost\"}");
    let strange = "AWS4-HMAC-SHA256 Credential=key/20261124/a:b/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let refused = server.exchange(&Request::of("Where", b"{}").with("Authorization", strange)).await;
    refused.is_fault(400, "InvalidSignatureException").says("Credential should be scoped to a valid region, not 'a:b'. ");
}
