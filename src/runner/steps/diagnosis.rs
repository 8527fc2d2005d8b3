//! `diagnosis`: the cause that must be found from what happened since the last release.

use crate::diagnosis::{self, Cause};
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

pub(super) fn run(conductor: &mut Conductor<'_>, cause: Cause) -> Result<(), Stop> {
    conductor.flush()?;
    let found = diagnosis::diagnose(conductor.folder()).map_err(|error| {
        Stop::Rig(Finding::new("the timeline cannot be read back", "a timeline", crate::runner::words::describe_error(&error), Vec::new()))
    })?;
    match found {
        Some(found) if found.cause == cause => {
            conductor.record(found)?;
            Ok(())
        }
        Some(found) => {
            let finding = Finding::new(
                format!("the diagnosis is {}", found.cause),
                format!("the diagnosis {cause}"),
                format!("{}: {}", found.cause, found.because),
                found.evidence.clone(),
            );
            conductor.record(found)?;
            Err(Stop::Failed(finding))
        }
        None => Err(Stop::Failed(Finding::new(
            "no known cause fits what was seen",
            format!("the diagnosis {cause}"),
            "no known cause fits",
            conductor.evidence(),
        ))),
    }
}
