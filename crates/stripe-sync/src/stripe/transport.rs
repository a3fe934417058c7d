//! The HTTP client itself: what it trusts, what it keeps, what it never does.
//!
//! Redirects are not followed and no cookies are kept. Plain http goes straight to loopback: a
//! proxy from the environment would see the key.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::address::ApiBase;
use super::failure::Cause;
use super::key::ApiKey;
use crate::account::AccountId;

/// Connections kept open between requests: as many as we ever have on their way.
const IDLE_CONNECTIONS: usize = super::limiter::MOST_IN_FLIGHT;

/// What a client sends with every request, and how long it waits.
pub(super) struct Transport<'a> {
    pub(super) key: &'a ApiKey,
    pub(super) base: &'a ApiBase,
    pub(super) version: &'a str,
    pub(super) account: Option<&'a AccountId>,
    pub(super) request_timeout: Duration,
    pub(super) connect_timeout: Duration,
}

impl Transport<'_> {
    /// # Errors
    /// If a header cannot be sent or the system's certificates cannot be read.
    pub(super) fn build(&self) -> Result<reqwest::Client, Cause> {
        let builder = reqwest::Client::builder()
            .default_headers(self.headers()?)
            .user_agent(concat!("stripe-sync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            .tls_backend_preconfigured(self.tls()?);
        let builder = if self.base.is_plain_http() { builder.no_proxy() } else { builder };
        Ok(builder.build()?)
    }

    fn headers(&self) -> Result<HeaderMap, Cause> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.key.authorization()?);
        headers.insert("stripe-version", HeaderValue::from_str(self.version)?);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(account) = self.account {
            headers.insert("stripe-account", HeaderValue::from_str(account.as_str())?);
        }
        Ok(headers)
    }

    /// The provider is passed on and not installed for the whole process: a program that uses this
    /// library may have its own.
    fn tls(&self) -> Result<rustls::ClientConfig, Cause> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?;
        // Plain http needs no certificates, and must work on machines that have none.
        let builder = if self.base.is_plain_http() {
            builder.with_root_certificates(rustls::RootCertStore::empty())
        } else {
            builder.with_platform_verifier()?
        };
        Ok(builder.with_no_client_auth())
    }
}
