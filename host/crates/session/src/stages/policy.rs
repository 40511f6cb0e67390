//! The policy of a stage: retries, timeouts and failures that are allowed.

use engine::{Failure, StageFailure};
use graph::Blame;
use module::Policy;

/// Returns whether a stage is evaluated completely when it is needed, so that its policy covers all of it.
pub(super) fn is_whole(policy: &Policy) -> bool {
    let Policy { n_retries, timeout, is_failure_allowed } = policy;
    *n_retries > 0 || timeout.is_some() || *is_failure_allowed
}

/// Runs a stage within its time, and again after a failure as often as the policy allows.
pub(super) async fn apply<T, F>(
    policy: &Policy,
    mut attempt: impl FnMut() -> F,
    on_retry: impl Fn(&Failure),
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut n_left = policy.n_retries;
    loop {
        let ended = match policy.timeout {
            Some(timeout) => tokio::time::timeout(timeout, attempt()).await.unwrap_or_else(|_| Err(timed_out(timeout))),
            None => attempt().await,
        };
        match ended {
            Err(failure) if n_left > 0 && is_worth_a_retry(&failure) => {
                n_left -= 1;
                on_retry(&failure);
            }
            ended => return ended,
        }
    }
}

/// A wrong request stays wrong, and a person who interrupts a run does not want it to begin again.
fn is_worth_a_retry(failure: &Failure) -> bool {
    match failure {
        Failure::Exec(_) | Failure::Environment { .. } => true,
        Failure::Stage(stage) => stage.code != "not-granted" && stage.code != "cancelled",
        Failure::Invalid { .. } | Failure::Cancelled | Failure::Planned { .. } | Failure::Bug { .. } => false,
    }
}

fn timed_out(timeout: std::time::Duration) -> Failure {
    Failure::Stage(Box::new(StageFailure {
        stage: String::new(),
        is_answer: false,
        code: "timeout".to_owned(),
        message: format!("it took longer than {} s, which its `timeout` is", timeout.as_secs_f64()),
        exec: None,
        attributes: Vec::new(),
        blame: Blame::Function,
        hint: Some("raise `timeout` in `host.toml`, or find out what it waits for".to_owned()),
    }))
}

/// Names the stage in a failure of its policy.
pub(super) fn named(failure: Failure, stage: &str) -> Failure {
    match failure {
        Failure::Stage(mut failure) if failure.stage.is_empty() => {
            failure.stage = stage.to_owned();
            Failure::Stage(failure)
        }
        failure => failure,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    /// Returns the outcome of a stage that fails `n_failures` times before it succeeds, and the number of attempts.
    async fn check(policy: Policy, n_failures: u32, failure: Failure) -> (Result<(), String>, u32) {
        let n_tries = Cell::new(0);
        let attempt = || {
            n_tries.set(n_tries.get() + 1);
            let ends = if n_tries.get() <= n_failures { Err(failure.clone()) } else { Ok(()) };
            async move { ends }
        };
        let ended = apply(&policy, attempt, |_| {}).await.map_err(|failure| failure.to_string());
        (ended, n_tries.get())
    }

    #[tokio::test]
    async fn a_failure_is_tried_again_as_often_as_the_policy_says() {
        let policy = |n_retries| Policy { n_retries, ..Policy::default() };
        let machine = || Failure::environment("no disk", None);
        assert_eq!(check(policy(0), 1, machine()).await, (Err("no disk".to_owned()), 1));
        assert_eq!(check(policy(2), 2, machine()).await, (Ok(()), 3));
        assert_eq!(check(policy(2), 9, machine()).await, (Err("no disk".to_owned()), 3));
    }

    #[tokio::test]
    async fn what_cannot_become_better_is_not_tried_again() {
        let policy = Policy { n_retries: 3, ..Policy::default() };
        assert_eq!(check(policy, 1, Failure::Cancelled).await, (Err("cancelled".to_owned()), 1));
        let wrong = Failure::invalid(engine::FailureCode::InvalidPath, "out");
        assert_eq!(check(policy, 1, wrong).await, (Err("out".to_owned()), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_stopped() {
        let policy = Policy { timeout: Some(Duration::from_secs(3)), ..Policy::default() };
        let ended = apply(&policy, std::future::pending::<Result<(), Failure>>, |_| {}).await;
        assert_eq!(ended.unwrap_err().to_string(), "it took longer than 3 s, which its `timeout` is");
    }
}
