//! Set-ups of dependencies that a manifest takes over, by `call = "lint.stages.check"`.

use std::path::Path;

use crate::manifest::{Argument, CallTarget, ModuleManifest, Setting, StageEntry, StageWork};

/// The reason why a set-up cannot be taken over.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SetUpProblem {
    /// The dependency is a component without a manifest, or its manifest does not have the stage.
    #[error("the manifest of dependency `{alias}` has no stage `{stage}`")]
    NoStage {
        /// The alias of the dependency.
        alias: String,
        /// The name of the stage.
        stage: String,
        /// The stages that the manifest has.
        known: Vec<String>,
    },
    /// The stage of the dependency calls no function of the dependency itself.
    #[error("stage `{stage}` of dependency `{alias}` calls no function of `{alias}` itself")]
    NoFunction {
        /// The alias of the dependency.
        alias: String,
        /// The name of the stage.
        stage: String,
    },
    /// A parameter takes what another stage of the dependency makes.
    #[error("`{param}` of stage `{stage}` of dependency `{alias}` is made by another stage of `{alias}`")]
    Linked {
        /// The alias of the dependency.
        alias: String,
        /// The name of the stage.
        stage: String,
        /// The name of the parameter.
        param: String,
    },
}

impl SetUpProblem {
    /// Returns what to do.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NoStage { alias, stage, known } => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                crate::near::suggestion(stage, &known, &format!("`{alias}` has the stages"))
            }
            Self::NoFunction { alias, .. } => format!("call a function, as in `call = \"{alias}.FUNCTION\"`"),
            Self::Linked { param, .. } => format!("give it a value here, as in `args = {{ {param} = ... }}`"),
        }
    }
}

/// Completes an entry that takes over the set-up of a dependency, whose manifest is in `root`. What the entry says
/// itself comes first.
pub(crate) fn take_over(
    entry: &mut StageEntry,
    target: &CallTarget,
    dependency: Option<(&Path, &ModuleManifest)>,
) -> Result<(), SetUpProblem> {
    let (alias, stage) = (target.dependency.clone().unwrap_or_default(), target.function.clone());
    let stages = dependency.map(|(_, manifest)| manifest.stages.as_slice()).unwrap_or_default();
    let (Some((root, _)), Some(from)) = (dependency, stages.iter().find(|entry| entry.name == stage)) else {
        let known = stages.iter().map(|entry| entry.name.clone()).collect();
        return Err(SetUpProblem::NoStage { alias, stage, known });
    };
    let function = match &from.work {
        StageWork::Own => from.name.clone(),
        StageWork::Call(CallTarget { dependency: None, function, .. }) => function.clone(),
        StageWork::Call(_) | StageWork::From(_) => return Err(SetUpProblem::NoFunction { alias, stage }),
    };
    let is_given = |entry: &StageEntry, param: &str| {
        entry.args.iter().chain(&entry.defaults).any(|setting| setting.param == param)
    };
    let taken = |settings: &[Setting]| -> Result<Vec<Setting>, SetUpProblem> {
        let wanted = settings.iter().filter(|setting| !is_given(entry, &setting.param));
        wanted.map(|setting| based(setting, target, root, &alias, &stage)).collect()
    };
    let (args, defaults) = (taken(&from.args)?, taken(&from.defaults)?);
    entry.work = StageWork::Call(CallTarget { function, is_set_up: false, ..target.clone() });
    entry.args.extend(args);
    entry.defaults.extend(defaults);
    if entry.ignore.is_empty() {
        entry.ignore.clone_from(&from.ignore);
        entry.ignore.iter_mut().for_each(|ignore| ignore.position = target.position);
    }
    let env = from.env.iter().filter(|(name, _)| !entry.env.iter().any(|(own, _)| own == name));
    entry.env = env.chain(&entry.env).cloned().collect();
    entry.description = entry.description.take().or_else(|| from.description.clone());
    entry.is_check = entry.is_check.or(from.is_check);
    if entry.policy.n_retries == 0 {
        entry.policy.n_retries = from.policy.n_retries;
    }
    entry.policy.timeout = entry.policy.timeout.or(from.policy.timeout);
    entry.policy.is_failure_allowed |= from.policy.is_failure_allowed;
    Ok(())
}

/// Returns a setting of a dependency for the manifest that takes it over. Its paths stay where they are.
fn based(
    setting: &Setting,
    target: &CallTarget,
    root: &Path,
    alias: &str,
    stage: &str,
) -> Result<Setting, SetUpProblem> {
    match setting.argument {
        Argument::Literal(_) => {
            Ok(Setting { base: Some(root.to_owned()), position: target.position, ..setting.clone() })
        }
        Argument::From(_) | Argument::List(_) => {
            Err(SetUpProblem::Linked { alias: alias.to_owned(), stage: stage.to_owned(), param: setting.param.clone() })
        }
    }
}
