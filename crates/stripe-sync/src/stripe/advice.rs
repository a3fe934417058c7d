//! Whether a failed attempt is retried: one table, without limits on attempts or time.
//!
//! Stripe's own libraries retry network errors, 409, 5xx and responses with `Stripe-Should-Retry:
//! true`, but not rate limits (stripe-node `RequestSender._shouldRetry`, stripe-ruby
//! `should_retry?`). That suits a single payment. A backfill has to slow down and continue instead.

use std::time::Duration;

use super::error_body::Code;
use super::failure::{Failure, Reason, Refusal, Status};

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// A retry would fail in the same way.
    GiveUp,
    /// Retry after a pause. The attempt counts.
    Retry { retry_after: Option<Duration> },
    /// Retry at a lower rate. Does not count as an attempt.
    SlowDown { reason: Reason, retry_after: Option<Duration> },
    /// Stripe cannot be reached: all requests wait together. The attempt does not count.
    WaitForStripe,
}

/// Decides what to do after a failure.
pub(super) fn advise(failure: &Failure) -> Advice {
    match failure {
        Failure::Unreachable(_) => Advice::WaitForStripe,
        Failure::Untrusted(_) | Failure::TooLarge { .. } => Advice::GiveUp,
        Failure::TimedOut(_) | Failure::ConnectionLost(_) | Failure::Unreadable { .. } => {
            Advice::Retry { retry_after: None }
        }
        Failure::Refused(refusal) => advise_on_refusal(refusal),
    }
}

fn advise_on_refusal(refusal: &Refusal) -> Advice {
    let retry_after = refusal.retry_after;
    let retry = Advice::Retry { retry_after };
    let slow_down = Advice::SlowDown { reason: refusal.reason, retry_after };
    // `Stripe-Should-Retry` overrides the table, except for rate limits, which Stripe's libraries
    // are told not to retry, and for redirects, which would redirect again.
    let unless_told = |default: Advice| match refusal.should_retry {
        Some(true) => retry,
        Some(false) => Advice::GiveUp,
        None => default,
    };
    // A response without a Stripe error comes from a proxy, which may have a transient problem.
    let permanent = if refusal.error.is_some() { Advice::GiveUp } else { retry };
    match Status::of(refusal.status) {
        Status::TooManyRequests => match refusal.code() {
            Code::LockTimeout => unless_told(retry),
            Code::RateLimit | Code::ResourceMissing | Code::KeyExpired | Code::Other => slow_down,
        },
        Status::BadRequest => match refusal.code() {
            Code::RateLimit => slow_down,
            Code::LockTimeout | Code::ResourceMissing | Code::KeyExpired | Code::Other => {
                unless_told(permanent)
            }
        },
        Status::Redirect => Advice::GiveUp,
        Status::RequestTimeout | Status::Conflict | Status::ServerError => unless_told(retry),
        Status::Unauthorized
        | Status::PaymentRequired
        | Status::Forbidden
        | Status::NotFound
        | Status::OtherClientError
        | Status::Unexpected => unless_told(permanent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::error_body::ErrorBody;
    use crate::stripe::page::Unreadable;

    const RETRY: Advice = Advice::Retry { retry_after: None };
    const GIVE_UP: Advice = Advice::GiveUp;

    fn slow(reason: Reason) -> Advice {
        Advice::SlowDown { reason, retry_after: None }
    }

    fn refusal(status: u16, code: Option<&str>) -> Refusal {
        let code = code.map(str::to_owned);
        Refusal {
            status,
            request_id: None,
            should_retry: None,
            retry_after: None,
            reason: Reason::Unnamed,
            error: Some(ErrorBody { code, ..ErrorBody::default() }),
        }
    }

    #[test]
    fn failures_without_a_response() {
        let cause = || -> super::super::failure::Cause { "cause".into() };
        let unreadable = Unreadable::NotAList;
        for (failure, advice) in [
            (Failure::Unreachable(cause()), Advice::WaitForStripe),
            (Failure::Untrusted(cause()), GIVE_UP),
            (Failure::TimedOut(cause()), RETRY),
            (Failure::ConnectionLost(cause()), RETRY),
            (Failure::Unreadable { status: 200, request_id: None, why: unreadable }, RETRY),
            (Failure::TooLarge { status: 200, request_id: None }, GIVE_UP),
        ] {
            assert_eq!(advise(&failure), advice, "{failure:?}");
        }
    }

    #[test]
    fn refusals_by_status_and_code() {
        let unnamed = slow(Reason::Unnamed);
        // status, code, advice for a Stripe error, with Stripe-Should-Retry: true, with false, for
        // a body that is not from Stripe
        for (status, code, plain, told_to, told_not_to, foreign) in [
            (301, None, GIVE_UP, GIVE_UP, GIVE_UP, GIVE_UP),
            (304, None, GIVE_UP, GIVE_UP, GIVE_UP, GIVE_UP),
            (400, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (400, Some("parameter_unknown"), GIVE_UP, RETRY, GIVE_UP, RETRY),
            (400, Some("rate_limit"), unnamed, unnamed, unnamed, RETRY),
            (401, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (401, Some("api_key_expired"), GIVE_UP, RETRY, GIVE_UP, RETRY),
            (402, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (403, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (404, Some("resource_missing"), GIVE_UP, RETRY, GIVE_UP, RETRY),
            (407, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (408, None, RETRY, RETRY, GIVE_UP, RETRY),
            (409, None, RETRY, RETRY, GIVE_UP, RETRY),
            (422, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
            (429, None, unnamed, unnamed, unnamed, unnamed),
            (429, Some("rate_limit"), unnamed, unnamed, unnamed, unnamed),
            (429, Some("lock_timeout"), RETRY, RETRY, GIVE_UP, unnamed),
            (500, None, RETRY, RETRY, GIVE_UP, RETRY),
            (503, None, RETRY, RETRY, GIVE_UP, RETRY),
            (599, None, RETRY, RETRY, GIVE_UP, RETRY),
            (600, None, GIVE_UP, RETRY, GIVE_UP, RETRY),
        ] {
            let advice = |change: fn(&mut Refusal)| {
                let mut refusal = refusal(status, code);
                change(&mut refusal);
                advise(&Failure::Refused(Box::new(refusal)))
            };
            let name = format!("{status} {code:?}");
            assert_eq!(advice(|_| {}), plain, "{name}");
            assert_eq!(advice(|r| r.should_retry = Some(true)), told_to, "{name}, told to");
            assert_eq!(
                advice(|r| r.should_retry = Some(false)),
                told_not_to,
                "{name}, told not to"
            );
            assert_eq!(advice(|r| r.error = None), foreign, "{name}, foreign");
        }
    }

    #[test]
    fn a_rate_limit_keeps_its_reason() {
        for (header, reason) in [
            (Some("global-rate"), Reason::GlobalRate),
            (Some("global-concurrency"), Reason::GlobalConcurrency),
            (Some("endpoint-rate"), Reason::EndpointRate),
            (Some("endpoint-concurrency"), Reason::EndpointConcurrency),
            (Some("resource-specific"), Reason::ResourceSpecific),
            (Some("something-new"), Reason::Unnamed),
            (None, Reason::Unnamed),
        ] {
            let mut refusal = refusal(429, None);
            refusal.reason = Reason::from_header(header);
            assert_eq!(advise(&Failure::Refused(Box::new(refusal))), slow(reason), "{header:?}");
        }
    }

    #[test]
    fn retry_after_is_passed_on() {
        let retry_after = Some(Duration::from_secs(7));
        for (status, advice) in [
            (503, Advice::Retry { retry_after }),
            (429, Advice::SlowDown { reason: Reason::Unnamed, retry_after }),
        ] {
            let mut refusal = refusal(status, None);
            refusal.retry_after = retry_after;
            assert_eq!(advise(&Failure::Refused(Box::new(refusal))), advice);
        }
    }
}
