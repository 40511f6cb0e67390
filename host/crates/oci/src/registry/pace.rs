//! The least rate at which a server sends.
//!
//! A server that sends a byte now and then never stalls, and would keep a run for as long as it likes.

use std::time::Duration;

use super::error::Problem;

/// The least rate at which a server sends, as a number of bytes in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastRate {
    /// The number of bytes that must arrive in each such time. With 0, every rate is accepted.
    pub bytes: u64,
    /// The time over which they are counted. What the caller does between two reads does not count.
    pub over: Duration,
}

impl Default for LeastRate {
    /// 1 KiB/s over 30 s.
    fn default() -> Self {
        Self { bytes: 30 << 10, over: Duration::from_secs(30) }
    }
}

/// What arrived of one response.
#[derive(Debug)]
pub(super) struct Pace {
    least: LeastRate,
    bytes: u64,
    waited: Duration,
}

impl Pace {
    /// Returns the pace of a response of which nothing has arrived.
    pub(super) fn new(least: LeastRate) -> Self {
        Self { least, bytes: 0, waited: Duration::ZERO }
    }

    /// Counts what arrived after this wait. It is an error if it was too little for too long.
    pub(super) fn add(&mut self, bytes: u64, waited: Duration) -> Result<(), Problem> {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < self.least.over {
            return Ok(());
        }
        if self.bytes < self.least.bytes {
            return Err(Problem::Slow { bytes: self.bytes, least: self.least.bytes, after: self.least.over });
        }
        *self = Self::new(self.least);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts bytes that arrive after seconds, and returns after how many of them they are too slow.
    fn check(arrivals: impl IntoIterator<Item = (u64, u64)>, expect: Option<u64>) {
        let (mut pace, mut total) = (Pace::new(LeastRate::default()), 0);
        let is_slow = arrivals.into_iter().any(|(bytes, seconds)| {
            total += seconds;
            pace.add(bytes, Duration::from_secs(seconds)).is_err()
        });
        assert_eq!(is_slow.then_some(total), expect);
    }

    #[test]
    fn a_server_below_the_least_rate_is_given_up_after_half_a_minute() {
        check([(1, 1); 100], Some(30));
        check([(1, 29); 100], Some(58));
        check([(1 << 10, 1); 100], None);
        check([((1 << 10) - 1, 1); 100], Some(30));
        check([(1 << 20, 29), (1, 1), (1, 29), (1, 1)], Some(60));
        check([(1, 1); 29], None);
        check([(0, 0); 100], None);
    }
}
