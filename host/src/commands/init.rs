//! `host init`

use std::path::{Path, PathBuf};

use module::{Sdk, scaffold};

use super::Context;
use crate::args::Parsed;
use crate::config::Config;
use crate::exit::ExitStatus;
use crate::report::{Report, Result};

pub(super) fn run(parsed: &Parsed, context: Context<'_>) -> Result<ExitStatus> {
    let config = context.config;
    let written = parsed.words.first().map_or(".", String::as_str);
    let directory = config.resolve(written);
    let name = match parsed.options.value("name") {
        Some(name) => name.to_owned(),
        None => name_of(&directory),
    };
    let sdk = sdk(parsed.options.value("sdk"), config)?;
    for path in scaffold(&directory, &name, &sdk)? {
        context.io.say(&format!(
            "wrote {}",
            Path::new(written).join(path.strip_prefix(&directory).unwrap_or(&path)).display()
        ));
    }
    let go = if written == "." { String::new() } else { format!("cd {written} && ") };
    context.io.say(&format!("try it: {go}host call hello"));
    Ok(ExitStatus::Done)
}

/// Makes a name out of that of a directory.
fn name_of(directory: &Path) -> String {
    // `.` has a name only when it is resolved; what does not exist yet has its own.
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let name = directory.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.replace(['_', ' ', '.'], "-")
}

/// Finds the SDK: the one that was named, the one of the checkout that this program was built in,
/// or that of the registry.
fn sdk(asked: Option<&str>, config: &Config) -> Result<Sdk> {
    if let Some(path) = asked {
        return match config.resolve(path).canonicalize() {
            Ok(found) if found.join("Cargo.toml").is_file() => Ok(Sdk::Path(found)),
            _ => Err(Report::input(format!("there is no guest SDK at `{path}`"))
                .with_hint("leave `--sdk` out for the one that belongs to this program")),
        };
    }
    let is_sdk = |directory: &Path| -> Option<PathBuf> {
        let sdk = directory.join("guest-sdk");
        sdk.join("Cargo.toml").is_file().then_some(sdk)
    };
    let program = config.program.as_deref().and_then(|program| program.canonicalize().ok());
    let near_program = program.iter().flat_map(|program| program.ancestors()).find_map(is_sdk);
    // Where it was compiled: `cargo install --path` puts the program elsewhere.
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(is_sdk);
    Ok(match near_program.or(checkout) {
        Some(path) => Sdk::Path(path),
        None => Sdk::Version(env!("CARGO_PKG_VERSION").to_owned()),
    })
}
