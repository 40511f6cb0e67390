//! Decides when a request is repeated, and how long to wait before that.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::error::Problem;

/// How often a request is repeated if the connection is refused. A server that is not there does not come back within
/// moments, as one does that is too busy.
const MAX_REFUSALS: u32 = 1;

/// How often requests are repeated that failed for temporary reasons.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    /// The maximum number of repetitions.
    pub times: u32,
    /// The time before the first repetition. It doubles before each further one.
    pub first_delay: Duration,
    /// The maximum time to wait. If a registry asks for more, the request fails.
    pub max_delay: Duration,
    /// The maximum time that a server is silent or too slow, over all repetitions without progress.
    pub max_silence: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        let (first_delay, minute) = (Duration::from_millis(250), Duration::from_secs(60));
        Self { times: 4, first_delay, max_delay: minute, max_silence: minute }
    }
}

/// A clock that can wait. Tests have their own.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> SystemTime;
    /// Waits for this time.
    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The repetitions of one request.
pub(super) struct Retries<'a> {
    retry: Retry,
    clock: &'a dyn Clock,
    done: u32,
    silence: Duration,
}

impl<'a> Retries<'a> {
    /// Returns the repetitions for a new request.
    pub(super) fn new(retry: Retry, clock: &'a dyn Clock) -> Self {
        Self { retry, clock, done: 0, silence: Duration::ZERO }
    }

    /// Starts counting again, because there was progress.
    pub(super) fn begin_again(&mut self) {
        self.done = 0;
        self.silence = Duration::ZERO;
    }

    /// Waits until the request is to be repeated. Returns the problem if it is not to be repeated.
    pub(super) async fn after(&mut self, problem: Problem) -> Result<(), Problem> {
        let silence = silence(&problem);
        self.silence += silence;
        // The next attempt would take as long.
        if !silence.is_zero() && self.silence + silence > self.retry.max_silence {
            return Err(problem);
        }
        match self.delay(&problem) {
            Some(delay) => self.clock.sleep(delay).await,
            None => return Err(problem),
        }
        self.done += 1;
        Ok(())
    }

    fn delay(&self, problem: &Problem) -> Option<Duration> {
        let times = if is_refusal(problem) { self.retry.times.min(MAX_REFUSALS) } else { self.retry.times };
        if !problem.is_transient() || self.done >= times {
            return None;
        }
        let own = self.retry.first_delay.saturating_mul(1 << self.done.min(16)).min(self.retry.max_delay);
        match asked(problem) {
            Some(asked) if asked > self.retry.max_delay => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }
}

/// Returns whether nothing accepts connections at the address.
fn is_refusal(problem: &Problem) -> bool {
    match problem {
        Problem::Unreachable(_) => true,
        Problem::Token { problem, .. } => is_refusal(problem),
        _ => false,
    }
}

/// Returns how long the server was silent or too slow.
fn silence(problem: &Problem) -> Duration {
    match problem {
        Problem::Stalled { after, .. } | Problem::Slow { after, .. } => *after,
        Problem::Token { problem, .. } => silence(problem),
        _ => Duration::ZERO,
    }
}

/// Returns the time that a registry asks to wait.
fn asked(problem: &Problem) -> Option<Duration> {
    match problem {
        Problem::TooManyRequests(wait) | Problem::Server { wait, .. } => *wait,
        Problem::Token { problem, .. } => asked(problem),
        _ => None,
    }
}

/// Reads the header `Retry-After`, which has seconds or a date.
///
/// Source: RFC 9110, 10.2.3.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 5);
        assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{value}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(5));
        check("Sat, 06 Nov 1993 08:49:37 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }

    #[test]
    fn delays_double_and_end() {
        let (first_delay, max_delay) = (Duration::from_secs(1), Duration::from_secs(3));
        let retry = Retry { times: 3, first_delay, max_delay, ..Retry::default() };
        let mut retries = Retries::new(retry, &SystemClock);
        let delays = (0..4).map(|done| {
            retries.done = done;
            retries.delay(&Problem::Network(String::new())).map(|delay| delay.as_secs())
        });
        assert_eq!(delays.collect::<Vec<_>>(), [Some(1), Some(2), Some(3), None]);
        retries.begin_again();
        assert_eq!(retries.delay(&Problem::TooManyRequests(Some(Duration::from_secs(4)))), None);
        assert_eq!(retries.delay(&Problem::WebPage), None);
    }

    #[test]
    fn a_refused_connection_is_tried_again_once_and_at_once() {
        let mut retries = Retries::new(Retry::default(), &SystemClock);
        let refused = || Problem::Unreachable(String::new());
        let token = Problem::Token { server: String::new(), problem: Box::new(refused()) };
        for problem in [refused(), token] {
            let delays = (0..2).map(|done| {
                retries.done = done;
                retries.delay(&problem)
            });
            assert_eq!(delays.collect::<Vec<_>>(), [Some(Duration::from_millis(250)), None]);
        }
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up_within_a_minute() {
        struct Never;
        impl Clock for Never {
            fn now(&self) -> SystemTime {
                SystemTime::UNIX_EPOCH
            }

            fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
                Box::pin(std::future::ready(()))
            }
        }
        async fn check(problem: impl Fn(Duration) -> Problem, after: u64, n_attempts: u32) {
            let after = Duration::from_secs(after);
            let (mut retries, mut n) = (Retries::new(Retry::default(), &Never), 1);
            while retries.after(problem(after)).await.is_ok() {
                n += 1;
            }
            assert_eq!(n, n_attempts, "{after:?}");
            assert!(after * n <= Duration::from_secs(60));
        }
        let stalled = |after| Problem::Stalled { doing: "did not answer", after };
        check(stalled, 40, 1).await;
        check(stalled, 30, 2).await;
        check(stalled, 10, 5).await;
        check(|after| Problem::Slow { bytes: 1, least: 2, after }, 30, 2).await;
        let token = |after| Problem::Token { server: String::new(), problem: Box::new(stalled(after)) };
        check(token, 30, 2).await;
    }
}
