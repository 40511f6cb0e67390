//! The runner: commands in the zone.

use std::sync::Arc;

use async_trait::async_trait;
use engine::{Caps, ExecStatus, Failure, FailureCode, SessionIo, tail};
use evaluate::{Command, Ended, LayerFault, NewLayer, Output, Refusal, Report, Runner, Tree, UnpackedLayer};
use graph::{ExecOp, Platform};
use store::{LayerId, Store};
use tokio_util::sync::CancellationToken;
use zone::{ExecReply, ExecSpec, ZoneCaps, ZoneConfig, ZoneError};

use crate::command::mounts::Workplace;
use crate::command::{collect, prepare};
use crate::layers;
use crate::layout::Layouts;
use crate::zones::Zones;

/// Runs commands on this machine, in a zone that is started when it is needed.
pub struct ZoneRunner {
    store: Store,
    zones: Arc<Zones>,
    layouts: Layouts,
}

impl ZoneRunner {
    /// Makes the runner of a session. Starts nothing.
    #[must_use]
    pub fn new(store: Store, io: &SessionIo, zone: ZoneConfig) -> Self {
        let network = zone.network.filter(|_| io.rules.network);
        let zones = Arc::new(Zones::new(ZoneConfig { network, ..zone }, store.clone()));
        let layouts = Layouts::new(store.clone(), Arc::clone(&zones), Arc::clone(&io.events));
        Self { store, zones, layouts }
    }
}

#[async_trait]
impl Runner for ZoneRunner {
    /// The layers that show a tree, the lowest first, with the times that commands left. None if it is not known here
    /// whether it was laid out.
    type Form = Vec<LayerId>;

    const DOMAIN: &'static str = "result/1";
    const PLACE: &'static str = "on this machine";

    fn caps(&self) -> Caps {
        caps_of(self.zones.caps().as_ref())
    }

    fn platform(&self) -> Platform {
        Platform::of_this_machine()
    }

    fn is_there(&self, tree: &Tree<Vec<LayerId>>) -> bool {
        // An error of the store shows again when a layer is made.
        crate::layout::are_there(&self.store, &tree.form).unwrap_or(false)
    }

    /// Runs a command in five steps: it lays out the trees, prepares the zone's step without IO, has the zone run it,
    /// and collects what it wrote. What is left of its workplace is removed in any case.
    async fn run(
        &self,
        command: &Command<'_, Vec<LayerId>>,
        report: &Report,
        cancel: &CancellationToken,
    ) -> Result<Ended<Vec<LayerId>>, Failure> {
        let mut place = Workplace::new(&self.store)?;
        let laid_out = place.lay_out(&self.layouts, command, cancel).await?;
        let spec = prepare::prepare(command, laid_out);
        let stop = cancel.child_token();
        let output = Output::new(report.clone(), &command.secrets, command.max_output_bytes, stop.clone());
        let ran = self.exec(&spec, &output, &stop).await;
        let printed = output.finish();
        if printed.is_cut && !cancel.is_cancelled() {
            return Ok(Ended::Refused(Refusal::Flood { limit_bytes: command.max_output_bytes }));
        }
        let reply = ran?;
        let Some(code) = accepted(command.op, &reply) else {
            tell_of_network(command.op, &reply, report);
            let (stdout_tail, stderr_tail) = (tail(&printed.stdout), tail(&printed.stderr));
            return Ok(Ended::Failed { status: reply.status, stdout_tail, stderr_tail });
        };
        let bases = command.writable().cloned().collect();
        let trees = collect::collect(&self.layouts, bases, place.uppers(), &reply).await?;
        Ok(Ended::Done { exec: printed.store(&self.store, code)?, trees })
    }

    async fn unpack(
        &self,
        layer: NewLayer<'_>,
        below: Tree<Vec<LayerId>>,
    ) -> Result<UnpackedLayer<Vec<LayerId>>, LayerFault> {
        layers::add(&self.layouts, layer, below).await
    }
}

impl ZoneRunner {
    async fn exec(&self, spec: &ExecSpec, output: &Output, cancel: &CancellationToken) -> Result<ExecReply, Failure> {
        let zone = self.zones.get().await?;
        let ran = zone.exec(spec, cancel, |stream, bytes| output.push(stream, bytes)).await;
        ran.map_err(|error| {
            let code = match error {
                ZoneError::Limits { .. } => FailureCode::Incapable,
                ZoneError::NoInput { .. } => FailureCode::NotFound,
                error => return Failure::of(error),
            };
            Failure::Invalid { code, message: error.to_string(), hint: graph::Diagnostic::hint(&error) }
        })
    }
}

/// Returns the exit code of a command that did what was expected.
fn accepted(op: &ExecOp, reply: &ExecReply) -> Option<i32> {
    match reply.status {
        ExecStatus::Exited { code } if op.expect.accepts(code) => Some(code),
        _ => None,
    }
}

/// Says that a command that failed had no way out to the network, where it was to have one. Whether it needed one is
/// not known.
fn tell_of_network(op: &ExecOp, reply: &ExecReply, report: &Report) {
    if let (Some(cause), false) = (&reply.without_network, reply.status == ExecStatus::Cancelled) {
        let command = graph::op::shell_words(&op.args);
        report.warn(format!("`{command}` failed, and had no way out to the network: {cause}"));
    }
}

/// Returns what can be done with a zone; with one that was not started yet, everything.
pub(crate) fn caps_of(zone: Option<&ZoneCaps>) -> Caps {
    Caps {
        name: "embedded".to_owned(),
        network: zone.is_none_or(|caps| caps.network.is_ok()),
        owners: zone.is_none_or(|caps| caps.has_owners),
        limits: zone.is_none_or(|caps| caps.has_limits),
        images: true,
        services: false,
        machine: true,
        sized_temp: true,
        content_keys: true,
        checked_layers: true,
        notes: zone.map(|caps| caps.notes.clone()).unwrap_or_default(),
    }
}
