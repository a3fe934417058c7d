//! TLS to the database. Certificates are verified against the roots of the operating system unless
//! the url has `sslmode=no-verify`.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Whether the server's certificate and name are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum Verify {
    Full,
    None,
}

/// A connector for `verify`. The error is a message for people.
pub(in crate::postgres) fn connector(verify: Verify) -> Result<MakeRustlsConnect, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?;
    let config = match verify {
        Verify::Full => builder.with_platform_verifier().map_err(|e| e.to_string())?,
        Verify::None => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

/// Removes `sslmode` from a url or keyword string and returns it: the driver rejects the modes that
/// it does not implement.
pub(in crate::postgres) fn take_sslmode(url: &str) -> (String, Option<String>) {
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let (head, options, separator) = match (is_url, url.split_once('?')) {
        (true, Some((head, query))) => (head, query, '&'),
        (true, None) => return (url.to_owned(), None),
        (false, _) => ("", url, ' '),
    };
    let (mode, rest): (Vec<&str>, Vec<&str>) =
        options.split(separator).partition(|option| option.trim().starts_with("sslmode="));
    let mode = mode.last().map(|m| m.trim()["sslmode=".len()..].trim_matches('\'').to_owned());
    let rest = rest.join(&separator.to_string());
    let stripped = match (is_url, rest.is_empty()) {
        (true, true) => head.to_owned(),
        (true, false) => format!("{head}?{rest}"),
        (false, _) => rest,
    };
    (stripped, mode)
}

/// Accepts any certificate. Signatures are still verified.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mode_is_removed() {
        let url = "postgres://u@h/d?sslmode=verify-full&application_name=x";
        assert_eq!(
            take_sslmode(url),
            ("postgres://u@h/d?application_name=x".into(), Some("verify-full".into()))
        );
        assert_eq!(
            take_sslmode("host=h sslmode=require dbname=d"),
            ("host=h dbname=d".into(), Some("require".into()))
        );
        assert_eq!(
            take_sslmode("postgres://u@h/d?sslmode=disable"),
            ("postgres://u@h/d".into(), Some("disable".into()))
        );
        assert_eq!(take_sslmode("postgres://u@h/d"), ("postgres://u@h/d".into(), None));
    }
}
