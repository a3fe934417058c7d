//! What to do about a failed attempt: one table, no policy of how often or how long.
//!
//! Stripe's own libraries repeat network errors, 409, 5xx and what `Stripe-Should-Retry` names, but
//! not rate limits (stripe-node `RequestSender._shouldRetry`, stripe-ruby `should_retry?`): for a
//! single payment that is right, a backfill has to slow down and go on.

use std::time::Duration;

use super::failure::{Code, Failure, Reason, Refusal, Status};

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Asking again would bring the same.
    GiveUp,
    /// Ask again after a pause; this attempt counts.
    Again { retry_after: Option<Duration> },
    /// Ask again, more slowly; this attempt does not count.
    SlowDown { reason: Reason, retry_after: Option<Duration> },
    /// Nobody is there: all workers wait together; this attempt does not count.
    WaitForStripe,
}

/// The table.
pub(super) fn advise(failure: &Failure) -> Advice {
    match failure {
        Failure::Unreachable(_) => Advice::WaitForStripe,
        Failure::Untrusted(_) | Failure::TooLarge { .. } => Advice::GiveUp,
        Failure::TimedOut(_) | Failure::Broken(_) | Failure::Unreadable { .. } => {
            Advice::Again { retry_after: None }
        }
        Failure::Refused(refusal) => advise_on_refusal(refusal),
    }
}

fn advise_on_refusal(refusal: &Refusal) -> Advice {
    let retry_after = refusal.retry_after;
    let again = Advice::Again { retry_after };
    let slow_down = Advice::SlowDown { reason: refusal.reason, retry_after };
    // `Stripe-Should-Retry` decides over everything but rate limits (Stripe tells its libraries
    // not to repeat those, and we must) and redirects (repeated, they redirect again).
    let unless_told = |default: Advice| match refusal.should_retry {
        Some(true) => again,
        Some(false) => Advice::GiveUp,
        None => default,
    };
    // Without an error of Stripe's in it, an answer is somebody else's on the way.
    let for_good = if refusal.error.is_some() { Advice::GiveUp } else { again };
    match Status::of(refusal.status) {
        Status::TooManyRequests => match refusal.code() {
            Code::LockTimeout => unless_told(again),
            Code::RateLimit | Code::ResourceMissing | Code::KeyExpired | Code::Other => slow_down,
        },
        Status::BadRequest => match refusal.code() {
            Code::RateLimit => slow_down,
            Code::LockTimeout | Code::ResourceMissing | Code::KeyExpired | Code::Other => {
                unless_told(for_good)
            }
        },
        Status::Redirect => Advice::GiveUp,
        Status::RequestTimeout | Status::Conflict | Status::ServerError => unless_told(again),
        Status::Unauthorized
        | Status::PaymentRequired
        | Status::Forbidden
        | Status::NotFound
        | Status::OtherClientError
        | Status::Odd => unless_told(for_good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::failure::ErrorBody;
    use crate::stripe::page::Unreadable;

    const AGAIN: Advice = Advice::Again { retry_after: None };
    const STOP: Advice = Advice::GiveUp;

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
    fn failures_without_an_answer() {
        let cause = || -> super::super::failure::Cause { "cause".into() };
        let unreadable = Unreadable::NotAList;
        for (failure, advice) in [
            (Failure::Unreachable(cause()), Advice::WaitForStripe),
            (Failure::Untrusted(cause()), STOP),
            (Failure::TimedOut(cause()), AGAIN),
            (Failure::Broken(cause()), AGAIN),
            (Failure::Unreadable { status: 200, request_id: None, why: unreadable }, AGAIN),
            (Failure::TooLarge { status: 200, request_id: None }, STOP),
        ] {
            assert_eq!(advise(&failure), advice, "{failure:?}");
        }
    }

    #[test]
    fn statuses() {
        let unnamed = slow(Reason::Unnamed);
        // status, code, advice on Stripe's error, told to retry, told not to, without Stripe's error
        for (status, code, plain, told, told_not, foreign) in [
            (301, None, STOP, STOP, STOP, STOP),
            (304, None, STOP, STOP, STOP, STOP),
            (400, None, STOP, AGAIN, STOP, AGAIN),
            (400, Some("parameter_unknown"), STOP, AGAIN, STOP, AGAIN),
            (400, Some("rate_limit"), unnamed, unnamed, unnamed, AGAIN),
            (401, None, STOP, AGAIN, STOP, AGAIN),
            (401, Some("api_key_expired"), STOP, AGAIN, STOP, AGAIN),
            (402, None, STOP, AGAIN, STOP, AGAIN),
            (403, None, STOP, AGAIN, STOP, AGAIN),
            (404, Some("resource_missing"), STOP, AGAIN, STOP, AGAIN),
            (407, None, STOP, AGAIN, STOP, AGAIN),
            (408, None, AGAIN, AGAIN, STOP, AGAIN),
            (409, None, AGAIN, AGAIN, STOP, AGAIN),
            (422, None, STOP, AGAIN, STOP, AGAIN),
            (429, None, unnamed, unnamed, unnamed, unnamed),
            (429, Some("rate_limit"), unnamed, unnamed, unnamed, unnamed),
            (429, Some("lock_timeout"), AGAIN, AGAIN, STOP, unnamed),
            (500, None, AGAIN, AGAIN, STOP, AGAIN),
            (503, None, AGAIN, AGAIN, STOP, AGAIN),
            (599, None, AGAIN, AGAIN, STOP, AGAIN),
            (600, None, STOP, AGAIN, STOP, AGAIN),
        ] {
            let advice = |change: fn(&mut Refusal)| {
                let mut refusal = refusal(status, code);
                change(&mut refusal);
                advise(&Failure::Refused(Box::new(refusal)))
            };
            let name = format!("{status} {code:?}");
            assert_eq!(advice(|_| {}), plain, "{name}");
            assert_eq!(advice(|r| r.should_retry = Some(true)), told, "{name}, told to");
            assert_eq!(advice(|r| r.should_retry = Some(false)), told_not, "{name}, told not to");
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
            (503, Advice::Again { retry_after }),
            (429, Advice::SlowDown { reason: Reason::Unnamed, retry_after }),
        ] {
            let mut refusal = refusal(status, None);
            refusal.retry_after = retry_after;
            assert_eq!(advise(&Failure::Refused(Box::new(refusal))), advice);
        }
    }
}
