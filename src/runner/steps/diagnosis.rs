//! `diagnosis`: the cause that must be found from what the timeline has so far.

use crate::diagnosis::Cause;
use crate::runner::conductor::Conductor;
use crate::runner::stop::{Finding, Stop};

pub(super) fn run(conductor: &mut Conductor<'_>, cause: Cause) -> Result<(), Stop> {
    let found = conductor.diagnose()?;
    match found.or_else(|| conductor.application_took()).or_else(|| conductor.not_as_expected()) {
        Some(found) if found.causes().any(|named| named == cause) => {
            conductor.record(found)?;
            Ok(())
        }
        Some(found) => {
            let finding = Finding::new(
                format!("the diagnosis is {}", found.title()),
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
