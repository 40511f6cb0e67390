//! A registry with an image, a client, and a report of a pull.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use expect_test::Expect;
use graph::Diagnostic as _;
use oci::Reference;
use oci::registry::{Client, Clock, Options, RegistryError};

use super::fake::Fake;
use super::image::Image;

/// A clock that stands still, and records for how long it should wait.
pub(crate) struct TestClock {
    waits: Mutex<Vec<Duration>>,
}

impl TestClock {
    /// Returns a clock at 8:49:37 on 6 November 1994.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { waits: Mutex::default() })
    }

    /// Returns the waits, in seconds.
    pub(crate) fn waits(&self) -> String {
        let waits = self.waits.lock().unwrap();
        waits.iter().map(|wait| format!(" {}", wait.as_secs_f32())).collect()
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn sleep(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.waits.lock().unwrap().push(time);
        Box::pin(std::future::ready(()))
    }
}

/// A registry with the image `app:1`, and a client for it.
pub(crate) struct Bench {
    pub(crate) fake: Fake,
    pub(crate) image: Image,
    pub(crate) options: Options,
    pub(crate) clock: Arc<TestClock>,
    /// The name of the image to pull.
    pub(crate) name: String,
}

impl Bench {
    /// Starts a registry with an image of one layer of ten bytes.
    pub(crate) fn new() -> Self {
        let (fake, image, clock) = (Fake::start(), Image::new(&[b"0123456789"]), TestClock::new());
        image.put(&fake, "app", "1");
        let name = format!("{}/app:1", fake.name());
        let options = Options { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Options::default() };
        Self { fake, image, options, clock, name }
    }

    /// Replaces the image.
    pub(crate) fn put(&mut self, image: Image) {
        self.fake.clear();
        image.put(&self.fake, "app", "1");
        self.image = image;
    }

    /// Pulls the image, and reports the result, the requests and the waits.
    pub(crate) async fn pull(self) -> String {
        let Self { fake, options, clock, name, .. } = self;
        let client = Client::new(options).unwrap();
        let reference: Reference = name.parse().unwrap();
        let mut report = String::new();
        match client.resolve(&reference, &"linux/amd64".parse().unwrap()).await {
            Err(error) => describe(&mut report, &error),
            Ok(resolved) => {
                writeln!(report, "resolved: {}", resolved.reference).unwrap();
                for layer in &resolved.manifest.layers {
                    let mut sink = Vec::new();
                    if let Err(error) = client.blob(&resolved.reference, layer, &mut sink).await {
                        describe(&mut report, &error);
                    }
                    writeln!(report, "layer: {:?}", String::from_utf8_lossy(&sink)).unwrap();
                }
            }
        }
        let waits = clock.waits();
        if !waits.is_empty() {
            writeln!(report, "waited:{waits}").unwrap();
        }
        fake.shorten(&report) + &fake.log()
    }
}

/// Returns an error with its hint.
pub(crate) fn describe(report: &mut String, error: &RegistryError) {
    let retry = if error.is_retryable() { ", may pass" } else { "" };
    writeln!(report, "error ({:?}{retry}): {error}", error.blame()).unwrap();
    writeln!(report, "hint: {}", error.hint().unwrap_or_default()).unwrap();
}

/// Prepares a registry, pulls, and compares the report.
pub(crate) async fn check(prepare: impl FnOnce(&mut Bench), expect: Expect) {
    let mut bench = Bench::new();
    prepare(&mut bench);
    expect.assert_eq(&bench.pull().await);
}
