//! Has BuildKit run what is needed, and takes what it made.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use engine::{Failure, FailureCode};
use evaluate::{exec_failure, outcome_of};
use futures::FutureExt as _;
use graph::{ContentDigest, ExecOp, ImageOrigin, KeyHasher};
use store::{NewResult, Owned, Store, empty_tree};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::definition::{self, FileAction, Llb, Note, Out};
use super::evaluator::LlbEvaluator;
use super::lower::params_of;
use super::step::Step;
use super::value::{Remote, Tree};
use super::watch::{Watch, Watched};
use crate::buildkit::{Job, LAST_NEWS, Offer, Registries, SolveError, TarReader};
use crate::images::{read_archive, read_layer};
use crate::step::trailer::{self, End, Trailer};
use crate::step::{self, Bounds, Record, deepest_first};

impl LlbEvaluator {
    /// Runs the commands that these trees need and of which nothing is known yet; no more at the same time than the
    /// session allows.
    ///
    /// A chain runs in one solve, which ends at each command that forbids reuse: what fails after one takes nothing of
    /// it away. Of others each command has its own: within one solve BuildKit does not always run at the same time
    /// what could be.
    pub(crate) async fn realise(&self, trees: &[Tree]) -> Result<(), Failure> {
        let remote = |tree: &Tree| if let Tree::Remote(remote) = tree { Some(remote.out.llb.clone()) } else { None };
        let roots: Vec<Llb> = trees.iter().filter_map(remote).collect();
        let pending = self.pending(&roots);
        if pending.is_empty() {
            return Ok(());
        }
        if let Some(step) = pending.first().filter(|_| self.io.is_dry) {
            return Err(Failure::planned(step.vertex.op().describe()));
        }
        if is_chain(&pending) {
            let _slot = self.slots.acquire().await;
            // What somebody else ran in the meantime need not run again.
            for part in self.pending(&roots).split_inclusive(|step| step.forbids_reuse()) {
                self.realise_at_once(part).await?;
            }
            return Ok(());
        }
        let ended: HashMap<&str, watch::Sender<bool>> =
            pending.iter().map(|step| (step.llb.digest(), watch::Sender::new(false))).collect();
        let each = pending.iter().map(|step| async {
            for input in self.steps_of(std::slice::from_ref(&step.llb)) {
                let sender = ended.get(input.llb.digest()).filter(|_| input.llb.digest() != step.llb.digest());
                if let Some(sender) = sender {
                    // The sender lives as long as this does.
                    let _ = sender.subscribe().wait_for(|is_over| *is_over).await;
                }
            }
            let _slot = self.slots.acquire().await;
            self.realise_at_once(&self.pending(std::slice::from_ref(&step.llb))).await?;
            if let Some(sender) = ended.get(step.llb.digest()) {
                sender.send_replace(true);
            }
            Ok::<(), Failure>(())
        });
        futures::future::try_join_all(each).await.map(drop)
    }

    fn pending(&self, roots: &[Llb]) -> Vec<Arc<Step>> {
        self.steps_of(roots).into_iter().filter(|step| step.record().is_none()).collect()
    }

    /// Runs commands in one solve.
    async fn realise_at_once(&self, pending: &[Arc<Step>]) -> Result<(), Failure> {
        if pending.is_empty() {
            return Ok(());
        }
        let sources = pending.iter().map(|step| step.llb.out(step.output)).collect();
        let copies = (0..pending.len()).map(|n| FileAction::copy(n, "/", &format!("/{n}"), true));
        let note = Note { name: "what was printed".to_owned(), ..Note::default() };
        let outputs = definition::files(None, sources, copies.collect(), note);
        let n_pending = pending.len();
        let take = move |archive: TarReader, store: &Store| {
            let mut printed = read_archive(archive, store)?;
            let files = (0..n_pending).map(|n| {
                let files = printed.take(&n.to_string());
                step::record(store, &files.ok_or_else(|| Failure::bug("the output of a command is missing"))?)
            });
            files.collect::<Result<Vec<Record>, Failure>>()
        };
        for (step, record) in pending.iter().zip(self.solve(&outputs, take).await?) {
            self.put_record(step, &record)?;
            step.set_record(record);
        }
        Ok(())
    }

    /// Returns a tree in the store; fetches it if it is in Docker.
    pub(crate) async fn local(&self, tree: &Tree) -> Result<ContentDigest, Failure> {
        let remote = match tree {
            Tree::Local(digest) => return Ok(*digest),
            Tree::Remote(remote) => remote,
        };
        if let Some(digest) = self.known(remote)? {
            return Ok(digest);
        }
        self.realise(std::slice::from_ref(tree)).await?;
        let _turn = self.fetching.lock().await;
        if let Some(digest) = self.known(remote)? {
            return Ok(digest);
        }
        let ((owned, stubs), sub) = (self.about(remote), remote.sub);
        let fetch = move |archive: TarReader, store: &Store| {
            let mut found = read_archive(archive, store)?;
            let root = if sub.is_empty() { Some(found) } else { found.take(sub) };
            let Some(mut root) = root else { return Err(Failure::bug("the contents of a mount are missing")) };
            root.set_owned(owned);
            stubs.iter().for_each(|stub| root.remove_stub(stub));
            root.put()
        };
        let digest = self.solve(&remote.out, fetch).await?;
        let key = tree_key(remote);
        let result = NewResult { key, value: digest.as_bytes(), trees: &[digest], blobs: &[] };
        self.trees.store().put_result(&result).map_err(Failure::of)?;
        self.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(remote.out.name(), digest);
        Ok(digest)
    }

    /// Returns a tree that was fetched before, in this run or in another.
    fn known(&self, remote: &Remote) -> Result<Option<ContentDigest>, Failure> {
        if let Some(digest) = self.fetched.lock().unwrap_or_else(PoisonError::into_inner).get(&remote.out.name()) {
            return Ok(Some(*digest));
        }
        let found = self.trees.store().result(tree_key(remote)).map_err(Failure::of)?;
        let digest = found.and_then(|bytes| bytes.try_into().ok()).map(ContentDigest::from_bytes);
        if let Some(digest) = digest {
            self.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(remote.out.name(), digest);
        }
        Ok(digest)
    }

    /// Returns the mode and owner of a tree's root, and the mountpoints in it that no command made.
    fn about(&self, remote: &Remote) -> (Owned, Vec<String>) {
        let record = self.step(remote.out.llb.digest()).and_then(|step| step.record());
        let root = remote.root.zip(record).map_or(Owned::DIRECTORY, |(index, record)| record.root(index));
        let mut stubs = Vec::new();
        let mut llb = Some(remote.out.llb.clone());
        while let Some(step) = llb.as_ref().and_then(|llb| self.step(llb.digest())) {
            let of_output = |(n, path): &(usize, String)| (remote.root == Some(*n)).then(|| path.clone());
            stubs.extend(step.record().iter().flat_map(|record| record.stubs.iter().filter_map(of_output)));
            // What is mounted in another mount is in the output of this command alone.
            llb = if remote.root == Some(0) { llb.and_then(|llb| llb.first_input()) } else { None };
        }
        deepest_first(&mut stubs);
        (root, stubs)
    }

    /// Returns the commands among what these need.
    fn steps_of(&self, roots: &[Llb]) -> Vec<Arc<Step>> {
        let closure = Llb::closure(roots);
        closure.iter().filter(|llb| llb.note().step.is_some()).filter_map(|llb| self.step(llb.digest())).collect()
    }

    /// Solves, and has `take` read the archive of the result on a thread of its own.
    async fn solve<T: Send + 'static>(
        &self,
        out: &Out,
        take: impl FnOnce(TarReader, &Store) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        if self.io.is_dry {
            return Err(Failure::planned(out.llb.note().name.as_str()));
        }
        let docker = self.docker.get().await?;
        let steps = self.steps_of(std::slice::from_ref(&out.llb));
        let store = self.trees.store().clone();
        for tree in Llb::closure(std::slice::from_ref(&out.llb)).iter().filter_map(|llb| llb.note().tree) {
            docker.images.ensure(&store, tree).await?;
        }
        let mut offer = Offer::default();
        offer.registries = self.registries(&out.llb);
        for step in &steps {
            params_of(self, step, &mut offer.secrets)?;
        }
        let (archive, reader) = TarReader::new();
        offer.archive = Some(archive).into();
        let is_given_up = Arc::clone(&offer.is_given_up);
        let (is_read, is_told) = (CancellationToken::new(), CancellationToken::new());
        let reading = is_read.clone().drop_guard();
        let taking = tokio::task::spawn_blocking(move || {
            let _reading = reading;
            take(reader, &store)
        });
        let is_kept = steps.iter().any(|step| step.forbids_reuse() && step.record().is_none());
        let over = is_told.clone();
        let keep_after = async move {
            is_read.cancelled().await;
            // News that is lost keeps nobody waiting.
            let _ = tokio::time::timeout(LAST_NEWS, over.cancelled()).await;
        };
        let job = Job { definition: out.definition(), offer, keep_after: is_kept.then(|| keep_after.boxed()) };
        let mut watch = Watch::new(self, &steps);
        let on_progress = |news| {
            watch.take(news);
            if watch.is_over() {
                is_told.cancel();
            }
        };
        let solved = tokio::select! {
            solved = docker.buildkit.solve(job, on_progress) => solved,
            () = self.io.cancel.cancelled() => return Err(Failure::Cancelled),
        };
        match solved {
            Ok(kept) => self.kept.lock().unwrap_or_else(PoisonError::into_inner).extend(kept),
            Err(SolveError::Unreachable(failure)) => return Err(failure),
            // What is wrong is what the archive has, and whoever read it knows.
            Err(SolveError::Refused(_)) if is_given_up.load(Ordering::Acquire) => {}
            Err(SolveError::Refused(message)) => return Err(self.explain(out, &mut watch, &message).await),
        }
        taking.await.unwrap_or_else(|error| Err(Failure::bug(format!("reading an archive panicked: {error}"))))
    }

    /// Returns the registries that the images among these are had from.
    fn registries(&self, llb: &Llb) -> Registries {
        let closure = Llb::closure(std::slice::from_ref(llb));
        let named = closure.iter().filter_map(|llb| match &llb.note().image.as_ref()?.origin {
            ImageOrigin::Registry { repository } => Some(repository.registry().to_owned()),
            ImageOrigin::Docker { .. } | ImageOrigin::Input { .. } => None,
        });
        Registries { named: named.collect(), docker_config: self.io.images.docker_config.clone() }
    }

    /// Makes the failure of a solve, and tells it.
    async fn explain(&self, out: &Out, watch: &mut Watch<'_>, message: &str) -> Failure {
        let (commands, others) = watch.failures();
        let told = commands.iter().find_map(|(watched, _)| {
            let trailer = trailer::read(&watched.stdout, &watched.stderr, self.bounds(watched.step.op()))?;
            Some((watched.step.llb.digest().to_owned(), self.command_failure(watched, trailer)))
        });
        let (digest, failure) = match (told, commands.first(), others.first()) {
            (Some((digest, failure)), _, _) => (Some(digest), failure),
            (None, Some((watched, text)), _) => {
                let args = watched.step.op().map(|op| graph::op::shell_words(&op.args)).unwrap_or_default();
                let failure = Failure::environment(
                    format!("Docker could not run `{args}`: {text}"),
                    Some("`--engine embedded` runs commands without Docker"),
                );
                (Some(watched.step.llb.digest().to_owned()), failure)
            }
            (None, None, other) => {
                if let Some(failure) = self.bad_image(out, &watch.failed_digests()).await {
                    return failure;
                }
                let text = other.copied().unwrap_or(message);
                (None, Failure::environment(format!("Docker's BuildKit could not do it: {text}"), None))
            }
        };
        let outcome = outcome_of(&failure);
        watch.end(digest.as_deref().map(|digest| (digest, &outcome)));
        failure
    }

    /// Says what is wrong with an image that Docker could not take, if it is the image.
    async fn bad_image(&self, out: &Out, failed: &[String]) -> Option<Failure> {
        let closure = Llb::closure(std::slice::from_ref(&out.llb));
        let failed =
            closure.iter().find(|llb| llb.note().image.is_some() && failed.iter().any(|digest| digest == llb.digest()));
        let op = failed.and_then(|llb| llb.note().image.clone())?;
        let checked = async {
            let image = self.trees.images().image(&op, None).await?;
            let mut tree = evaluate::Tree::of(empty_tree());
            for (layer, download) in image.layers().iter().zip(self.trees.images().fetch(&op, &image, None, 0).await?) {
                let (path, store, diff_id) = (download.finished().await?, self.trees.store().clone(), layer.diff_id);
                let task = tokio::task::spawn_blocking(move || read_layer(&store, tree, &path, diff_id));
                let read = task.await.map_err(|error| Failure::bug(format!("reading a layer panicked: {error}")))?;
                tree = read.map_err(|fault| fault.failure(&layer.descriptor.digest, &op))?.tree;
            }
            Ok::<(), Failure>(())
        };
        checked.await.err()
    }

    fn bounds(&self, op: Option<&ExecOp>) -> Bounds {
        let timeout = [op.and_then(|op| op.timeout), self.io.timeout].into_iter().flatten().min();
        Bounds { timeout, max_output_bytes: self.io.max_output_bytes }
    }

    fn command_failure(&self, watched: &Watched, trailer: Trailer) -> Failure {
        let vertex = &watched.step.vertex;
        let Some(op) = watched.step.op() else { return Failure::bug("this operation is no command") };
        match trailer.end {
            End::Status(status) => exec_failure(vertex, op, status, trailer.stdout, trailer.stderr),
            End::Refused(refusal) => refusal.failure(op),
            End::NoSize => Failure::Invalid {
                code: FailureCode::Incapable,
                message: "a directory in memory with a limit is not available with this Docker".to_owned(),
                hint: Some("install Docker 23 or later, take the limit away, or use `--engine embedded`".to_owned()),
            },
        }
    }

    fn put_record(&self, step: &Step, record: &Record) -> Result<(), Failure> {
        let Some(key) = step.key else { return Ok(()) };
        let store = self.trees.store();
        let bytes = postcard::to_stdvec(record).map_err(|error| Failure::bug(format!("a result: {error}")))?;
        let exec = &record.exec;
        let blobs = [exec.stdout.digest, exec.stderr.digest, exec.combined.digest];
        let result = NewResult { key, value: &bytes, trees: &[], blobs: &blobs };
        store.put_result(&result).map_err(Failure::of)?;
        if let Some((key, generation)) = &step.generation {
            let result = NewResult { key: *key, value: generation.as_bytes(), trees: &[], blobs: &[] };
            store.put_result(&result).map_err(Failure::of)?;
        }
        Ok(())
    }
}

/// Returns whether each command needs the one before.
fn is_chain(pending: &[Arc<Step>]) -> bool {
    pending.windows(2).all(|pair| match pair {
        [before, after] => after.llb.needs(&before.llb),
        _ => true,
    })
}

fn tree_key(remote: &Remote) -> graph::CacheKey {
    let mut hasher = KeyHasher::new("docker-tree/1");
    hasher.text(&remote.out.name());
    hasher.text(remote.sub);
    hasher.cache_key()
}
