//! TLS to the database. Certificates are verified against the roots of the operating system or
//! those of `sslrootcert`, unless the URL has `sslmode=no-verify`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How the server's certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct TlsSettings {
    pub(in crate::postgres) verify: Verify,
    /// A file with CA certificates in PEM format. `None`: those of the operating system.
    pub(in crate::postgres) roots: Option<PathBuf>,
}

/// Which parts of the server's certificate are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Verify {
    /// The signer and the host name.
    Full,
    /// The signer, if the CA certificates come from a file; otherwise the same as `Full`.
    Chain,
    Nothing,
}

/// Creates a connector with these settings. The error is a message for the user.
pub(in crate::postgres) fn connector(settings: &TlsSettings) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let config = match (settings.verify, &settings.roots) {
        (Verify::Nothing, _) => {
            let verifier = LenientVerifier { provider, chain: None };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        // Any of the system's many authorities could have signed a certificate for another name.
        (Verify::Full | Verify::Chain, None) => {
            builder.with_platform_verifier().map_err(|e| e.to_string())?
        }
        (Verify::Full, Some(path)) => builder.with_root_certificates(roots(path)?),
        (Verify::Chain, Some(path)) => {
            let roots = Arc::new(roots(path)?);
            let chain = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
                .build()
                .map_err(|e| e.to_string())?;
            let verifier = LenientVerifier { provider, chain: Some(chain) };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn roots(path: &Path) -> Result<RootCertStore, String> {
    let fail = |why: String| {
        format!("cannot use the certificates of sslrootcert in {}: {why}", path.display())
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))? {
        let certificate = certificate.map_err(|e| fail(e.to_string()))?;
        roots.add(certificate).map_err(|e| fail(e.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(fail("the file contains no certificate in PEM format".to_owned())),
        false => Ok(roots),
    }
}

/// A verifier for `Chain` and `Nothing`. Signatures of the handshake are always verified.
#[derive(Debug)]
struct LenientVerifier {
    provider: Arc<CryptoProvider>,
    /// Verifies the signer, regardless of the host name. `None` accepts any certificate.
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for LenientVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The name is verified after everything else.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
