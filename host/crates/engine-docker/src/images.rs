//! The images of Docker.

pub(crate) mod archive;
mod layer;

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use engine::{DockerImages, Failure, FailureCode};
use futures::stream;
use graph::{ContentDigest, ImageOp, ImageOrigin, Platform};
use http_body_util::BodyExt as _;
use hyper::Method;
use serde_json::Value;
use store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Mutex;
use trees::{Input, Trees, UnpackError};

use crate::connection::settings::DockerSettings;
use crate::connection::{Connection, RequestError, empty, encoded, streamed};
use archive::{Label, LayerFile};
pub(crate) use layer::read_layer;

/// Reads an archive that Docker sent. Blocks.
pub(crate) fn read_archive(archive: impl io::Read, store: &Store) -> Result<trees::Archive<'_>, Failure> {
    trees::read_archive(store, archive).map_err(|error| match error {
        UnpackError::Store(failure) => failure,
        UnpackError::Layer(error) => Failure::environment(
            format!("what Docker sent is no whole archive: {}", engine::chain(&error)),
            Some("look into Docker's log; if it goes on, run without Docker by `--engine embedded`"),
        ),
    })
}

/// How much of a file is sent at a time.
const CHUNK: usize = 256 * 1024;
/// How long images for trees stay in Docker.
const KEPT: Duration = Duration::from_secs(14 * 24 * 3600);

/// The images of the local Docker, for engines that do not use it otherwise. Connects when it is asked.
pub struct LocalImages {
    settings: DockerSettings,
}

impl LocalImages {
    /// Makes them; connects to nothing.
    #[must_use]
    pub fn new(settings: DockerSettings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl DockerImages for LocalImages {
    async fn id(&self, name: &str, platform: &Platform) -> Result<Option<String>, Failure> {
        let found = inspect(&Connection::new(&self.settings)?, name).await?;
        Ok(found.filter(|image| is_for(image, platform)).and_then(|image| text(&image, "Id")))
    }

    async fn save(&self, name: &str, target: &Path) -> Result<(), Failure> {
        let connection = Connection::new(&self.settings)?;
        let path = format!("/images/{}/get", encoded(name));
        let response = connection.send(Method::GET, &path, "application/json", empty()).await;
        let response = response.map_err(|error| not_found(name, error))?;
        let unwritable = |error: io::Error| {
            Failure::environment(format!("image `{name}` cannot be written to `{}`: {error}", target.display()), None)
        };
        let mut file = tokio::fs::File::create(target).await.map_err(unwritable)?;
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::from(connection.broken(&error)))?;
            if let Ok(data) = frame.into_data() {
                file.write_all(&data).await.map_err(unwritable)?;
            }
        }
        file.flush().await.map_err(unwritable)
    }

    async fn load(&self, archive: &Path, name: &str) -> Result<String, Failure> {
        let connection = Connection::new(&self.settings)?;
        let unreadable =
            |error: io::Error| Failure::environment(format!("`{}` cannot be read: {error}", archive.display()), None);
        let file = tokio::fs::File::open(archive).await.map_err(unreadable)?;
        let loaded = load(&connection, file).await?;
        let image = inspect(&connection, &loaded).await?;
        let id = image.and_then(|image| text(&image, "Id"));
        let id =
            id.ok_or_else(|| Failure::environment(format!("Docker lost the image `{loaded}` that it loaded"), None))?;
        tag(&connection, &id, name).await?;
        Ok(id)
    }
}

/// Gives an image a name.
async fn tag(connection: &Connection, id: &str, name: &str) -> Result<(), RequestError> {
    let (repository, tag) = split_tag(name);
    let path = format!("/images/{}/tag?repo={}&tag={}", encoded(id), encoded(repository), encoded(tag));
    connection.post(&path, &Value::Null).await.map(drop)
}

/// Splits a name at its tag, which is `latest` if there is none.
fn split_tag(name: &str) -> (&str, &str) {
    match name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((repository, tag)) => (repository, tag),
        None => (name, "latest"),
    }
}

async fn inspect(connection: &Connection, name: &str) -> Result<Option<Value>, Failure> {
    match connection.get(&format!("/images/{}/json", encoded(name))).await {
        Ok(image) => Ok(Some(image)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn not_found(name: &str, error: RequestError) -> Failure {
    if error.is_not_found() {
        return Failure::invalid(FailureCode::NotFound, format!("Docker has no image `{name}`"));
    }
    error.into()
}

fn is_for(image: &Value, platform: &Platform) -> bool {
    let is = |name: &str, wanted: &str| text(image, name).is_none_or(|found| found == wanted);
    is("Os", &platform.os) && is("Architecture", &platform.architecture)
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// Loads an archive; returns the name or the id of the last image in it.
async fn load(connection: &Connection, file: tokio::fs::File) -> Result<String, Failure> {
    let parts = stream::try_unfold(file, |mut file| async move {
        let mut buffer = vec![0; CHUNK];
        let n = file.read(&mut buffer).await?;
        buffer.truncate(n);
        Ok::<_, io::Error>((n > 0).then_some((Bytes::from(buffer), file)))
    });
    let body = streamed(parts);
    let response = connection.send(Method::POST, "/images/load?quiet=1", "application/x-tar", body).await?;
    let told = connection.collect(response).await?;
    let mut loaded = None;
    // A line a message. Source: Docker Engine API, `ImageLoad`.
    for line in told.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        if let Some(error) = text(&message, "error") {
            return Err(Failure::environment(format!("Docker did not take an image: {error}"), None));
        }
        let told = text(&message, "stream").unwrap_or_default();
        for prefix in ["Loaded image ID: ", "Loaded image: "] {
            if let Some(name) = told.trim().strip_prefix(prefix) {
                loaded = Some(name.to_owned());
            }
        }
    }
    loaded.ok_or_else(|| Failure::environment("Docker found no image in an archive", None))
}

/// Trees that Docker has as images, so that LLB can name them by their contents.
pub(crate) struct TreeImages {
    connection: Connection,
    platform: Platform,
    /// Those that are known to be there.
    there: Mutex<HashSet<ContentDigest>>,
}

impl TreeImages {
    pub(crate) fn new(connection: Connection, platform: Platform) -> Self {
        Self { connection, platform, there: Mutex::default() }
    }

    /// Makes sure that Docker has a tree.
    pub(crate) async fn ensure(&self, store: &Store, tree: ContentDigest) -> Result<(), Failure> {
        // One at a time: two commands that need the same tree send it once.
        let mut there = self.there.lock().await;
        if there.contains(&tree) {
            return Ok(());
        }
        if inspect(&self.connection, &archive::name_of(tree)).await?.is_none() {
            let from = store.clone();
            let name = archive::name_of(tree);
            self.load_layers(store, name, move || Ok(vec![archive::layer_of_tree(&from, tree)?])).await?;
            if there.is_empty() {
                self.remove_old().await;
            }
        }
        there.insert(tree);
        Ok(())
    }

    /// Makes sure that Docker has an image that is in a file or is its own; returns the name that it has there.
    pub(crate) async fn import(
        &self,
        trees: &Trees,
        op: &ImageOp,
        input: Option<Input<'_>>,
    ) -> Result<String, Failure> {
        let name = archive::name_of_image(&op.digest.to_string());
        if inspect(&self.connection, &name).await?.is_some() {
            return Ok(name);
        }
        if let ImageOrigin::Docker { name: own } = &op.origin {
            let tagged = tag(&self.connection, &op.digest.to_string(), &name).await;
            tagged.map_err(|error| not_found(own, error))?;
            return Ok(name);
        }
        let image = trees.images().image(op, input).await?;
        let downloads = trees.images().fetch(op, &image, input, 0).await?;
        let mut paths = Vec::with_capacity(downloads.len());
        for download in &downloads {
            paths.push(download.finished().await?);
        }
        let from = trees.store().clone();
        let layers = move || paths.iter().map(|path| archive::layer_of_archive(&from, path)).collect();
        self.load_layers(trees.store(), name.clone(), layers).await?;
        Ok(name)
    }

    /// Has Docker load an image of layers that are made on a thread of their own.
    async fn load_layers(
        &self,
        store: &Store,
        name: String,
        layers: impl FnOnce() -> Result<Vec<LayerFile>, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let (store, platform, created) = (store.clone(), self.platform.clone(), rfc3339(SystemTime::now()));
        let task = tokio::task::spawn_blocking(move || {
            let label = Label { name: &name, platform: &platform, created: &created };
            archive::write(&store, &label, layers()?)
        });
        let file = task.await.unwrap_or_else(|error| Err(Failure::bug(format!("an archive panicked: {error}"))))?;
        load(&self.connection, tokio::fs::File::from_std(file)).await.map(drop)
    }

    /// Removes images for trees that are older than anybody needs. What fails is tried again another time.
    async fn remove_old(&self) {
        let filter = encoded(&format!(r#"{{"reference":["{}"]}}"#, archive::REPOSITORY));
        let Ok(Value::Array(images)) = self.connection.get(&format!("/images/json?filters={filter}")).await else {
            return;
        };
        let oldest = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().saturating_sub(KEPT);
        for image in images {
            let is_old = image.get("Created").and_then(Value::as_u64).is_some_and(|at| at < oldest.as_secs());
            if let (true, Some(id)) = (is_old, text(&image, "Id")) {
                let _ = self.connection.delete(&format!("/images/{}", encoded(&id))).await;
            }
        }
    }
}

/// Writes a time in the form of RFC 3339, in UTC.
fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Returns the date that is this many days after 1970 began.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + u64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_dates() {
        let check = |seconds: u64, expect: &str| {
            assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expect);
        };
        check(0, "1970-01-01T00:00:00Z");
        check(951_827_696, "2000-02-29T12:34:56Z");
        check(1_767_225_599, "2025-12-31T23:59:59Z");
    }

    #[test]
    fn an_archive_that_is_cut_is_the_fault_of_docker() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(11);
        builder.append_data(&mut header, "f", &b"long enough"[..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let Err(failure) = read_archive(&bytes[..515], &store) else { panic!("half of an archive was taken") };
        assert!(matches!(failure, Failure::Environment { .. }), "{failure:?}");
        assert!(failure.to_string().starts_with("what Docker sent is no whole archive"), "{failure}");
    }

    #[test]
    fn names_are_split_at_their_tag() {
        assert_eq!(split_tag("localhost:5000/a/b"), ("localhost:5000/a/b", "latest"));
        assert_eq!(split_tag("a:1"), ("a", "1"));
    }
}
