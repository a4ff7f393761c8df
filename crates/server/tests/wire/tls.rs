//! TLS: the same requests inside it, and files that can not be used.

use std::path::Path;
use std::sync::Arc;

use stator_server::listen::{Tls, TlsError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::harness::{Request, Server, Setup};

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/fixtures").join(name)
}

fn client(protocols: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("certificate.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn requests_are_answered_inside_tls() {
    let tls = Tls::load(&fixture("certificate.pem"), &fixture("key.pem")).unwrap();
    let server = Server::start(Setup { tls: Some(tls), ..Setup::default() }).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let mut stream = client(&[b"http/1.1"]).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    stream.write_all(&Request::of("Echo", b"{\"a\":1}").with("Connection", "close").bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"a\":1}"), "{answer}");
}

#[tokio::test]
async fn http_2_is_agreed_on_where_the_client_knows_it() {
    let tls = Tls::load(&fixture("certificate.pem"), &fixture("key.pem")).unwrap();
    let server = Server::start(Setup { tls: Some(tls), ..Setup::default() }).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let stream = client(&[b"h2", b"http/1.1"]).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_is_cut_off() {
    let tls = Tls::load(&fixture("certificate.pem"), &fixture("key.pem")).unwrap();
    let server = Server::start(Setup { tls: Some(tls), ..Setup::default() }).await;
    let mut plain = server.connect().await;
    plain.send(&Request::of("Echo", b"{}").bytes()).await;
    assert!(plain.receive().await.is_none());
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let (certificate, key) = (fixture("certificate.pem"), fixture("key.pem"));
    assert!(matches!(Tls::load(Path::new("missing.pem"), &key), Err(TlsError::Pem(path, _)) if path == Path::new("missing.pem")));
    assert!(matches!(Tls::load(&certificate, &certificate), Err(TlsError::Pem(path, _)) if path == certificate));
    assert!(matches!(Tls::load(&key, &key), Err(TlsError::NoCertificate(path)) if path == key));
}
