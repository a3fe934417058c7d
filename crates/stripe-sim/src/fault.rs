//! Injected faults, at random or scripted, and scripted changes to the account.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::account::Account;
use crate::seed::{fraction, mix2};

/// A way for a request to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A status such as 408, 409, 500 or 503, with Stripe's JSON error body.
    Status(u16),
    /// Like `Status`, with the header `Stripe-Should-Retry`.
    ShouldRetry(u16, bool),
    /// Status 429 because of an object lock: `code` is `lock_timeout`, and there is no reason
    /// header.
    LockTimeout,
    /// Status 429 with `Stripe-Rate-Limited-Reason: global-rate`, as if another client had used up
    /// the rate limit.
    RateLimited,
    /// Resets the connection before the response.
    Reset,
    /// Resets the connection in the middle of the body.
    ResetMidBody,
    /// Sends half of the body, with the `Content-Length` of that half.
    Truncated,
    /// Sends half of the body with the `Content-Length` of the whole body, then closes the
    /// connection.
    TruncatedWrongLength,
    /// Sends nothing and keeps the connection open.
    Hang,
    /// Sends an HTML page with this status.
    Html(u16),
    /// Sends a body that is not valid JSON from the middle on.
    MalformedJson,
    /// Sends a list without objects that has `has_more: true`. On other operations, the same as
    /// `Status(500)`.
    EmptyWithMore,
    /// Delays the correct response.
    Delay(Duration),
    /// Sends, late, the response that was correct when the request arrived, with the date of that
    /// moment.
    SentLate(Duration),
}

/// The default faults for random selection. A repeated request does not fail again, and no fault
/// makes a client wait for its timeout.
pub(crate) fn transient_faults() -> Vec<Fault> {
    vec![
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(409),
        Fault::Status(408),
        Fault::LockTimeout,
        Fault::RateLimited,
        Fault::ShouldRetry(500, true),
        Fault::Reset,
        Fault::ResetMidBody,
        Fault::Truncated,
        Fault::TruncatedWrongLength,
        Fault::Html(502),
        Fault::Html(200),
        Fault::MalformedJson,
        Fault::EmptyWithMore,
    ]
}

/// Selects the random fault of the `number`th request. The result depends only on the arguments.
pub(crate) fn random_fault(seed: u64, number: u64, rate: f64, faults: &[Fault]) -> Option<Fault> {
    let draw = mix2(seed ^ 0xfa17, number);
    if rate <= 0.0 || faults.is_empty() || fraction(draw) >= rate {
        return None;
    }
    Some(faults[(mix2(draw, 1) % faults.len() as u64) as usize].clone())
}

type SingleChange = Box<dyn FnOnce(&Account) + Send>;
type RepeatedChange = Arc<Mutex<dyn FnMut(&Account) + Send>>;

enum Action {
    Fail(Fault),
    ChangeOnce(Option<SingleChange>),
    ChangeEach(RepeatedChange),
}

/// An action for the requests `first..=last` to a path.
struct Rule {
    path: String,
    requests: u64,
    first: u64,
    last: u64,
    action: Action,
}

/// The scripted faults and changes of a simulator.
#[derive(Default)]
pub(crate) struct Script {
    rules: Mutex<Vec<Rule>>,
}

impl Script {
    /// Makes the requests `first..=last` to a path fail. Requests are counted from this call on,
    /// starting with 1.
    pub(crate) fn fail(&self, path: &str, first: u64, last: u64, fault: Fault) {
        self.add(path, first, last, Action::Fail(fault));
    }

    /// Runs `change` before the `nth` request to a path.
    pub(crate) fn change_once(&self, path: &str, nth: u64, change: SingleChange) {
        self.add(path, nth, nth, Action::ChangeOnce(Some(change)));
    }

    /// Runs `change` before each request to a path.
    pub(crate) fn change_each(&self, path: &str, change: RepeatedChange) {
        self.add(path, 1, u64::MAX, Action::ChangeEach(change));
    }

    fn add(&self, path: &str, first: u64, last: u64, action: Action) {
        let rule = Rule { path: path.to_owned(), requests: 0, first, last, action };
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    /// Counts a request, runs the changes for it and returns its fault, if there is one.
    pub(crate) fn on_request(&self, path: &str, account: &Account) -> Option<Fault> {
        let (mut once, mut each) = (Vec::new(), Vec::new());
        let mut fault = None;
        {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            for rule in rules.iter_mut().filter(|rule| matches(&rule.path, path)) {
                rule.requests += 1;
                if !(rule.first..=rule.last).contains(&rule.requests) {
                    continue;
                }
                match &mut rule.action {
                    Action::Fail(scripted) => fault = fault.or_else(|| Some(scripted.clone())),
                    Action::ChangeOnce(change) => once.extend(change.take()),
                    Action::ChangeEach(change) => each.push(Arc::clone(change)),
                }
            }
        }
        for change in once {
            change(account);
        }
        for change in each {
            change.lock().unwrap_or_else(PoisonError::into_inner)(account);
        }
        fault
    }
}

/// Whether a path matches a pattern. A `*` at the end of a pattern matches any suffix.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => pattern == path,
    }
}
