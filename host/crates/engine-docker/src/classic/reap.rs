//! What is made in Docker for a session, and its removal when the session is dead.

use std::collections::HashMap;
use std::fmt;
use std::fs;

use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListVolumesOptions, RemoveContainerOptions, RemoveImageOptions,
    RemoveVolumeOptions,
};

use super::api::Api;

/// The label of all that belongs to one session.
pub(crate) const LABEL: &str = "host.session";

/// A process of this project: where it runs, and when it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// The machine; one Docker may serve several.
    machine: String,
    /// The time from one start of the machine to the next.
    boot: String,
    /// The process namespace.
    namespace: String,
    pid: u32,
    /// In clock ticks since the machine started; another process may get the same pid later.
    start: u64,
}

impl Session {
    /// Returns this process.
    pub(crate) fn own() -> Self {
        let line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().replace('/', "");
        let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let pid = std::process::id();
        Self {
            machine: line("/etc/machine-id"),
            boot: line("/proc/sys/kernel/random/boot_id"),
            namespace: namespace.to_string_lossy().replace('/', ""),
            pid,
            start: start_of(pid).unwrap_or(0),
        }
    }

    fn parse(label: &str) -> Option<Self> {
        let mut parts = label.split('/').map(str::to_owned);
        let mut next = || parts.next();
        let (machine, boot, namespace) = (next()?, next()?, next()?);
        Some(Self { machine, boot, namespace, pid: next()?.parse().ok()?, start: next()?.parse().ok()? })
    }

    /// Returns whether a session is surely dead, as far as this one can know; `start_of` says when a process began.
    fn is_dead(&self, own: &Self, start_of: impl Fn(u32) -> Option<u64>) -> bool {
        if self.machine != own.machine || self.machine.is_empty() {
            return false;
        }
        self.boot != own.boot || (self.namespace == own.namespace && start_of(self.pid) != Some(self.start))
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, boot, namespace, pid, start } = self;
        write!(f, "{machine}/{boot}/{namespace}/{pid}/{start}")
    }
}

/// Returns when a process began. Source: proc_pid_stat(5), field 22.
fn start_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses, in which anything may be.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Removes what dead sessions left. What fails is tried again by the next session.
pub(crate) async fn reap(api: &Api, own: &Session) {
    let filters = || Some(HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]));
    let is_dead = |labels: Option<&HashMap<String, String>>| {
        let session = labels.and_then(|labels| Session::parse(labels.get(LABEL)?));
        session.is_some_and(|session| session.is_dead(own, start_of))
    };
    let options = ListContainersOptions { all: true, filters: filters(), ..Default::default() };
    for container in api.docker.list_containers(Some(options)).await.unwrap_or_default() {
        if let (true, Some(id)) = (is_dead(container.labels.as_ref()), container.id) {
            remove_container(api, &id).await;
        }
    }
    let volumes = api.docker.list_volumes(Some(ListVolumesOptions { filters: filters() })).await;
    for volume in volumes.ok().and_then(|answer| answer.volumes).unwrap_or_default() {
        if is_dead(Some(&volume.labels)) {
            remove_volume(api, &volume.name).await;
        }
    }
    let options = ListImagesOptions { all: true, filters: filters(), ..Default::default() };
    let mut images = api.docker.list_images(Some(options)).await.unwrap_or_default();
    // An image that another is made of can be removed only after that one.
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    for image in images.iter().filter(|image| is_dead(Some(&image.labels))) {
        remove_image(api, &image.id).await;
    }
}

/// Ends and removes a container, if it is there.
pub(crate) async fn remove_container(api: &Api, name: &str) {
    let options = RemoveContainerOptions { force: true, v: true, link: false };
    // What is not removed now is found by its label.
    let _ = api.docker.remove_container(name, Some(options)).await;
}

/// Removes a volume, if it is there.
pub(crate) async fn remove_volume(api: &Api, name: &str) {
    let _ = api.docker.remove_volume(name, Some(RemoveVolumeOptions { force: true })).await;
}

/// Removes an image, but not those that it is made of.
async fn remove_image(api: &Api, id: &str) {
    let options = RemoveImageOptions { force: false, noprune: true, platforms: None };
    let _ = api.docker.remove_image(id, Some(options), None).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_dead_is_removed() {
        let own = Session { pid: 7, start: 1, ..Session::parse("m/b/ns/7/1").unwrap() };
        let check = |label: &str, expect: bool| {
            let start_of = |pid: u32| (pid == 8).then_some(5);
            assert_eq!(Session::parse(label).unwrap().is_dead(&own, start_of), expect, "{label}");
        };
        check("m/b/ns/8/5", false);
        check("m/b/ns/8/4", true);
        check("m/b/ns/9/5", true);
        check("m/b/other/9/5", false);
        check("m/earlier/ns/8/5", true);
        check("elsewhere/b/ns/9/5", false);
    }

    #[test]
    fn a_label_names_the_process_that_made_it() {
        let own = Session::own();
        assert_eq!(Session::parse(&own.to_string()), Some(own.clone()));
        assert!(!own.is_dead(&own, start_of));
    }
}
