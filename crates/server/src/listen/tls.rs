//! TLS by rustls, from a certificate chain and a key in PEM files.
//!
//! What must stay true: a file that can not be used is refused before anything is opened, with the file's name.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate and its key, ready to serve.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
}

/// Why TLS can not be had.
#[derive(Debug)]
pub enum TlsError {
    /// A file can not be read, or is not PEM of the expected kind.
    Pem(PathBuf, pem::Error),
    /// The certificate and the key do not go together, or are of a kind that is not supported.
    Config(rustls::Error),
    /// The certificate file holds no certificate.
    NoCertificate(PathBuf),
}

impl Tls {
    /// Reads the two files.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |error| TlsError::Pem(path.clone(), error)
        };
        let chain = CertificateDer::pem_file_iter(certificate).map_err(wrong(certificate))?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(wrong(certificate))?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate(certificate.to_owned()));
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(wrong(key))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(TlsError::Config)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Agrees on keys with a client.
    pub(super) async fn accept(&self, stream: tokio::net::TcpStream) -> io::Result<tokio_rustls::server::TlsStream<tokio::net::TcpStream>> {
        self.acceptor.accept(stream).await
    }
}
