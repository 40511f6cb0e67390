//! What Docker is: version, kind, whether BuildKit is in it.

use engine::{Caps, Failure};
use graph::Platform;
use serde_json::Value;

use crate::buildkit::Reach;
use crate::connection::Connection;
use crate::connection::settings::DockerSettings;

/// The oldest API that has what is needed. Docker 19.03 has it.
const OLDEST_API: (u32, u32) = (1, 40);
/// From this API on Docker speaks gRPC on its own socket. Source: moby/moby#50744.
const NATIVE_GRPC_API: (u32, u32) = (1, 52);

/// What Docker is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Facts {
    /// Where it is.
    pub address: String,
    /// Its version, as in `20.10.24`.
    pub version: String,
    /// The version of its API, as in `1.41`.
    pub api_version: String,
    /// What containers run on.
    pub platform: Platform,
    /// How its BuildKit is reached; none if it has none.
    pub buildkit: Option<Reach>,
    /// Whether it runs without root's rights.
    pub is_rootless: bool,
    /// Whether it is Podman behind Docker's API.
    pub is_podman: bool,
}

/// Returns what the Docker is that these settings lead to.
///
/// # Errors
/// `Environment` if it cannot be reached or is too old.
pub async fn probe(settings: &DockerSettings) -> Result<Facts, Failure> {
    let connection = Connection::new(settings)?;
    let facts = Facts::of(&connection).await?;
    let info = connection.get("/info").await?;
    Ok(Facts { is_rootless: has_option(&info, "name=rootless"), ..facts })
}

/// Returns what can be done with a Docker that nothing is known of.
pub(crate) fn caps_unasked() -> Caps {
    caps(vec!["Docker is asked who it is when something is needed of it".to_owned()], false)
}

fn caps(mut notes: Vec<String>, sized_temp: bool) -> Caps {
    notes.push("limits on memory, processes and processors need another engine".to_owned());
    notes.push("a command over an image is run again when its directory was made another way".to_owned());
    notes.push("layers are compared with their digests, not with the configuration of the image".to_owned());
    Caps {
        name: "docker".to_owned(),
        network: true,
        owners: true,
        limits: false,
        images: true,
        services: false,
        machine: false,
        sized_temp,
        content_keys: false,
        checked_layers: false,
        notes,
    }
}

impl Facts {
    /// Returns what can be done with it.
    #[must_use]
    pub fn caps(&self) -> Caps {
        let mut notes = vec![format!("Docker {} at `{}`", self.version, self.address)];
        if self.is_rootless {
            notes.push("Docker runs without root's rights".to_owned());
        }
        if self.buildkit.is_none() {
            notes.push("it has no BuildKit: use `--engine docker-classic`".to_owned());
        }
        caps(notes, self.has_sized_temp())
    }

    /// Returns whether the BuildKit in it heeds the size of a directory in memory.
    /// Source: moby/buildkit 0.11, which came with Docker 23.
    fn has_sized_temp(&self) -> bool {
        self.version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major >= 23)
    }

    /// Finds out what a session has to know; whether it is rootless takes a request that is slow.
    pub(crate) async fn of(connection: &Connection) -> Result<Self, Failure> {
        let version = connection.get("/version").await?;
        let text = |name: &str| version.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let api_version = text("ApiVersion");
        let api = parse_api(&api_version).ok_or_else(|| {
            Failure::environment(
                format!("what answers at `{}` is not Docker", connection.address()),
                Some("name Docker's address in DOCKER_HOST"),
            )
        })?;
        if api < OLDEST_API {
            return Err(Failure::environment(
                format!(
                    "Docker {} at `{}` is too old: its API is {api_version}, and {}.{} is needed",
                    text("Version"),
                    connection.address(),
                    OLDEST_API.0,
                    OLDEST_API.1
                ),
                Some("install Docker 19.03 or later, or use `--engine embedded`"),
            ));
        }
        let is_podman = version.to_string().contains("Podman Engine");
        Ok(Self {
            address: connection.address(),
            version: text("Version"),
            platform: platform(&text("Os"), &text("Arch")),
            buildkit: reach(connection, api, is_podman).await,
            is_rootless: false,
            is_podman,
            api_version,
        })
    }
}

async fn reach(connection: &Connection, api: (u32, u32), is_podman: bool) -> Option<Reach> {
    if is_podman {
        return None;
    }
    let order =
        if api >= NATIVE_GRPC_API { [Reach::Native, Reach::Hijacked] } else { [Reach::Hijacked, Reach::Native] };
    for reach in order {
        if crate::buildkit::answers(connection, reach).await {
            return Some(reach);
        }
    }
    None
}

fn parse_api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn platform(os: &str, arch: &str) -> Platform {
    format!("{os}/{arch}").parse().unwrap_or_else(|_| Platform::of_this_machine())
}

fn has_option(info: &Value, name: &str) -> bool {
    let options = info.get("SecurityOptions").and_then(Value::as_array);
    options.is_some_and(|options| options.iter().any(|option| option.as_str() == Some(name)))
}
