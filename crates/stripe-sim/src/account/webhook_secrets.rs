//! The signing secrets of webhook endpoints. No response contains them, except the response to the
//! creation of an endpoint.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The signing secrets of endpoints, by ID.
#[derive(Debug, Default)]
pub(crate) struct WebhookSecrets(Mutex<BTreeMap<String, String>>);

impl WebhookSecrets {
    pub(crate) fn set(&self, id: &str, secret: &str) {
        self.lock().insert(id.to_owned(), secret.to_owned());
    }

    pub(crate) fn get(&self, id: &str) -> Option<String> {
        self.lock().get(id).cloned()
    }

    /// How many endpoints have had a secret.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
