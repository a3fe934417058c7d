//! What can go wrong on the way, by chance or by script.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::account::Account;
use crate::seed::{fraction, mix2};

/// A way for a request to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A status with Stripe's JSON error body: 408, 409, 500, 503, ...
    Status(u16),
    /// A status with the header `Stripe-Should-Retry`.
    ShouldRetry(u16, bool),
    /// 429 because of an object lock: `code` is `lock_timeout`, and no reason header.
    LockTimeout,
    /// 429 with `Stripe-Rate-Limited-Reason: global-rate`, as if another client had used the budget.
    RateLimited,
    /// The connection is reset before anything is answered.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// Half of the body, and a `Content-Length` that fits it.
    Truncated,
    /// Half of the body, the `Content-Length` of all of it, then the end of the connection.
    TruncatedWrongLength,
    /// Nothing is ever answered; the connection stays open.
    Hang,
    /// A page of HTML with this status.
    Html(u16),
    /// JSON that stops making sense in the middle.
    MalformedJson,
    /// A list that has no rows and more of them; on other operations like `Status(500)`.
    EmptyWithMore,
    /// The right answer, late.
    Delay(Duration),
}

/// The faults that happen by chance, unless the options name others. All of them pass when the request is repeated,
/// and none makes a client wait for its timeout.
pub(crate) fn passing() -> Vec<Fault> {
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

/// The fault of the `number`th request, as the seed has it.
pub(crate) fn by_chance(seed: u64, number: u64, rate: f64, mix: &[Fault]) -> Option<Fault> {
    let draw = mix2(seed ^ 0xfa17, number);
    if rate <= 0.0 || mix.is_empty() || fraction(draw) >= rate {
        return None;
    }
    Some(mix[(mix2(draw, 1) % mix.len() as u64) as usize].clone())
}

type Change = Box<dyn FnOnce(&Account) + Send>;
type Changes = Arc<Mutex<dyn FnMut(&Account) + Send>>;

enum Action {
    Fail(Fault),
    Change(Option<Change>),
    Changes(Changes),
}

struct Rule {
    path: String,
    seen: u64,
    first: u64,
    last: u64,
    action: Action,
}

/// What happens to certain requests to certain paths.
#[derive(Default)]
pub(crate) struct Script {
    rules: Mutex<Vec<Rule>>,
}

impl Script {
    /// The requests `first..=last` to a path fail. Requests are counted from here on, beginning with 1.
    pub(crate) fn fail(&self, path: &str, first: u64, last: u64, fault: Fault) {
        self.add(Rule { path: path.to_owned(), seen: 0, first, last, action: Action::Fail(fault) });
    }

    /// Before the `nth` request to a path the account is changed.
    pub(crate) fn change(&self, path: &str, nth: u64, change: Change) {
        self.add(Rule {
            path: path.to_owned(),
            seen: 0,
            first: nth,
            last: nth,
            action: Action::Change(Some(change)),
        });
    }

    /// Before every request to a path the account is changed.
    pub(crate) fn change_each(&self, path: &str, changes: Changes) {
        let action = Action::Changes(changes);
        self.add(Rule { path: path.to_owned(), seen: 0, first: 1, last: u64::MAX, action });
    }

    fn add(&self, rule: Rule) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
    }

    /// Counts a request, makes the changes that are due and returns the fault that is.
    pub(crate) fn on_request(&self, path: &str, account: &Account) -> Option<Fault> {
        let (mut changes, mut each) = (Vec::new(), Vec::new());
        let mut fault = None;
        {
            let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
            for rule in rules.iter_mut().filter(|rule| matches(&rule.path, path)) {
                rule.seen += 1;
                if !(rule.first..=rule.last).contains(&rule.seen) {
                    continue;
                }
                match &mut rule.action {
                    Action::Fail(failing) => fault = fault.or_else(|| Some(failing.clone())),
                    Action::Change(change) => changes.extend(change.take()),
                    Action::Changes(changes) => each.push(Arc::clone(changes)),
                }
            }
        }
        for change in changes {
            change(account);
        }
        for changes in each {
            changes.lock().unwrap_or_else(PoisonError::into_inner)(account);
        }
        fault
    }
}

/// A pattern is a path, or the beginning of one before a `*`.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => pattern == path,
    }
}
