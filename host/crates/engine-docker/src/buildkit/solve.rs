//! One solve: a definition in, progress and an archive out.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard_buildkit_proto::moby::buildkit::v1::{SolveRequest, StatusRequest, StatusResponse};
use bollard_buildkit_proto::pb;
use engine::Failure;
use futures::future::{self, BoxFuture, FutureExt as _};

use super::BuildKit;
use super::session::{Offer, Session};

/// How long the last news of a solve that has ended may take.
pub(crate) const LAST_NEWS: Duration = Duration::from_secs(5);

/// What is solved.
pub(crate) struct Job {
    /// What is evaluated.
    pub(crate) definition: pb::Definition,
    /// What may be asked for meanwhile; if it takes an archive, the result is exported as one.
    pub(crate) offer: Offer,
    /// If there is something here, BuildKit keeps what was evaluated once this is over.
    pub(crate) keep_after: Option<BoxFuture<'static, ()>>,
}

/// A solve that did all that was asked of it and that BuildKit does not see as ended: whatever it evaluated is there
/// for other solves while this lives.
///
/// A result is not safe in BuildKit's cache. Where the inputs of a command are in use elsewhere since they were made
/// first, BuildKit does not look there, and runs the command again.
/// Source: moby/buildkit, `solver/edge.go`: `probeCache` is given the keys by which inputs were found, and those that
/// were executed have none until they are loaded anew.
pub(crate) struct Kept {
    _session: Session,
    _solving: BoxFuture<'static, Result<(), tonic::Status>>,
}

/// What happens meanwhile.
pub(crate) type Progress = StatusResponse;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum SolveError {
    /// BuildKit could not do it, and says why; what it says is for people.
    Refused(String),
    /// Docker was not reached, or went away.
    Unreachable(Failure),
}

impl BuildKit {
    /// Solves. Dropping the future stops it, with all commands under way.
    pub(crate) async fn solve(
        &self,
        job: Job,
        mut on_progress: impl FnMut(Progress),
    ) -> Result<Option<Kept>, SolveError> {
        let Job { definition, mut offer, keep_after } = job;
        offer.is_kept = keep_after.is_some();
        let mut keep_after = keep_after.unwrap_or_else(|| future::pending().boxed());
        let is_exported = offer.archive.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let session = Session::open(self, random(), offer).await.map_err(|e| SolveError::Unreachable(e.into()))?;
        let reference = random();
        let request = SolveRequest {
            r#ref: reference.clone(),
            definition: Some(definition),
            session: session.id.clone(),
            exporter_deprecated: if is_exported { "tar".to_owned() } else { String::new() },
            exporter_attrs_deprecated: HashMap::new(),
            internal: true,
            ..SolveRequest::default()
        };
        let (mut solver, mut watcher) = (self.control.clone(), self.control.clone());
        let mut solving = async move { solver.solve(request).await.map(drop) }.boxed();
        let mut watching = pin!(async {
            let Ok(news) = watcher.status(StatusRequest { r#ref: reference }).await else { return };
            let mut news = news.into_inner();
            while let Ok(Some(news)) = news.message().await {
                on_progress(news);
            }
        });
        let mut is_watched = false;
        let solved = loop {
            tokio::select! {
                solved = &mut solving => break solved,
                () = &mut watching, if !is_watched => is_watched = true,
                () = &mut keep_after => return Ok(Some(Kept { _session: session, _solving: solving })),
            }
        };
        if !is_watched {
            // Without the last news a failure would lack its end.
            let _ = tokio::time::timeout(LAST_NEWS, watching).await;
        }
        match solved {
            Ok(()) => Ok(None),
            Err(status) => Err(match self.transport_failure(&status) {
                Some(failure) => SolveError::Unreachable(failure),
                None => SolveError::Refused(status.message().to_owned()),
            }),
        }
    }
}

/// Returns an id that nobody else has.
pub(crate) fn random() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut id = String::new();
    for part in 0..2 {
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u64(NEXT.fetch_add(1, Ordering::Relaxed) + part);
        id.push_str(&format!("{:016x}", hasher.finish()));
    }
    id
}
