//! The HTTP client: trusted certificates, open connections, and the API origin.
//!
//! One transport serves all accounts of a process. It has no key: each request contains the headers
//! of its account. It never follows redirects and stores no cookies. Plain http goes directly to
//! loopback, because a proxy from the environment would see the key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::address::ApiBase;
use super::error::StripeError;
use super::failure::Cause;
use super::request::{Method, Request};

/// Maximum number of idle connections: as many as one account has requests in flight.
const IDLE_CONNECTIONS: usize = super::limiter::MAX_IN_FLIGHT;

/// The maximum number of header lines in a response. Proxies can add many to those of Stripe.
const MAX_HEADERS: usize = 1_000;

/// Where requests go and how long each may take.
#[derive(Debug, Clone)]
pub(crate) struct TransportOptions {
    /// The origin of the API.
    pub(crate) base: ApiBase,
    /// The time limit of one attempt, from sending to the last byte; 80 s in Stripe's own
    /// libraries.
    pub(crate) request_timeout: Duration,
    /// The time limit for opening a connection, TLS included.
    pub(crate) connect_timeout: Duration,
}

impl Default for TransportOptions {
    /// Stripe itself, 80 s for a request, 10 s for a connection.
    fn default() -> TransportOptions {
        TransportOptions {
            base: ApiBase::default(),
            request_timeout: Duration::from_secs(80),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// A connection pool to one API origin. Clones share it.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: ApiBase,
}

impl Transport {
    /// Creates a transport without connecting to anything.
    ///
    /// # Errors
    /// Kind `Setup` if the system's certificates cannot be read.
    pub(crate) fn new(options: TransportOptions) -> Result<Transport, StripeError> {
        let http = build(&options).map_err(StripeError::setup)?;
        Ok(Transport { http, base: options.base })
    }

    /// The origin that all requests go to.
    pub(super) fn base(&self) -> &ApiBase {
        &self.base
    }

    /// `request` with the headers of an account.
    pub(super) fn prepare(&self, request: &Request, account: HeaderMap) -> RequestBuilder {
        let builder = match &request.method {
            Method::Get => self.http.get(self.base.join(&request.path, &request.query)),
            Method::Delete => self.http.delete(self.base.join(&request.path, &request.query)),
            Method::Post { idempotency_key } => {
                // A form has the encoding of a query.
                let form = self.base.join(&request.path, &request.query);
                self.http
                    .post(self.base.join(&request.path, &[]))
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .header("idempotency-key", idempotency_key)
                    .body(form.query().unwrap_or_default().to_owned())
            }
        };
        builder.headers(account)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("base", &self.base).finish_non_exhaustive()
    }
}

fn build(options: &TransportOptions) -> Result<reqwest::Client, Cause> {
    let plain_http = options.base.is_plain_http();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let builder = reqwest::Client::builder()
        .default_headers(headers)
        .user_agent(concat!("stripe-sync/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .http1_max_headers(MAX_HEADERS)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .connect_timeout(options.connect_timeout)
        .timeout(options.request_timeout)
        .tls_backend_preconfigured(tls(plain_http)?);
    let builder = if plain_http { builder.no_proxy() } else { builder };
    Ok(builder.build()?)
}

/// The crypto provider is passed to this client instead of being installed for the process: a
/// program that uses this library may have installed its own.
fn tls(plain_http: bool) -> Result<rustls::ClientConfig, Cause> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    // Plain http needs no certificates, and must work on machines that have none.
    let builder = if plain_http {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    } else {
        builder.with_platform_verifier()?
    };
    Ok(builder.with_no_client_auth())
}
