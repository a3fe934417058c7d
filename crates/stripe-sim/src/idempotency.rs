//! Idempotency keys: a repeated request gets the response of the first one and changes nothing
//! (<https://docs.stripe.com/api/idempotent_requests>).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::api_error::ApiError;

/// The responses of the requests with a key.
#[derive(Default)]
pub(crate) struct Idempotency(Mutex<HashMap<String, FirstRequest>>);

struct FirstRequest {
    body: String,
    response: String,
}

impl Idempotency {
    /// Calls `write` unless a request with the same key has succeeded.
    ///
    /// # Errors
    /// That of `write`, or the key was used for another request.
    pub(crate) fn once(
        &self,
        key: Option<&str>,
        body: &str,
        write: impl FnOnce() -> Result<String, ApiError>,
    ) -> Result<String, ApiError> {
        let Some(key) = key else { return write() };
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = requests.get(key) {
            if first.body == body {
                return Ok(first.response.clone());
            }
            let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return Err(ApiError { kind: "idempotency_error", ..ApiError::new(400, message) });
        }
        let response = write()?;
        let first = FirstRequest { body: body.to_owned(), response: response.clone() };
        requests.insert(key.to_owned(), first);
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_changes_nothing() {
        let (idempotency, mut writes) = (Idempotency::default(), 0);
        let mut send = |key, body| {
            idempotency.once(key, body, || {
                writes += 1;
                Ok(format!("{writes}"))
            })
        };
        assert_eq!(send(Some("a"), "x=1").unwrap(), "1");
        assert_eq!(send(Some("a"), "x=1").unwrap(), "1");
        assert_eq!(send(Some("a"), "x=2").unwrap_err().kind, "idempotency_error");
        assert_eq!(send(None, "x=1").unwrap(), "2");
    }
}
