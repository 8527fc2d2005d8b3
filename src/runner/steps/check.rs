//! `check`, `measure` and `note`: what is made of values that were kept.

use std::time::Duration;

use crate::plan::units::{parse_duration, show_duration};
use crate::plan::{Action, Anchor, Bound, Comparison, Measure, Step, Template, are_digits, compare, has_order};
use crate::runner::conductor::Conductor;
use crate::runner::kept::{Kept, Measured};
use crate::runner::stop::{Finding, Stop};
use crate::runner::timing::host_late;
use crate::timeline::event;

pub(super) fn check(conductor: &mut Conductor<'_>, check: &Comparison) -> Result<(), Stop> {
    match broken(conductor, check)? {
        None => Ok(()),
        Some(broken) => Err(Stop::Failed(Finding::new(broken.reason, broken.expected, broken.seen, broken.evidence))),
    }
}

/// Why a comparison does not hold.
pub(super) struct Broken {
    pub(super) reason: String,
    expected: String,
    seen: String,
    evidence: Vec<u64>,
}

/// Compares; `None` where every bound holds.
///
/// # Errors
/// [`Stop::Rig`] where nobody can tell: a time was not measured finely enough, or the file compares a version with a number or a duration.
pub(super) fn broken(conductor: &Conductor<'_>, comparison: &Comparison) -> Result<Option<Broken>, Stop> {
    let names = comparison.value.names().chain(comparison.bounds.iter().flat_map(|bound| bound.with.names()));
    let evidence: Vec<u64> = names.filter_map(|name| conductor.kept.get(name)).map(|kept| kept.seq).collect();
    let wanted = comparison.bounds.iter().map(Bound::to_string).collect::<Vec<_>>().join(" and ");
    let value = &comparison.value;
    let not = |seen: String, reason: String| Broken { reason, expected: format!("{value} {wanted}"), seen, evidence: evidence.clone() };
    let text = match value.fill(|name| conductor.kept.text(name)) {
        Ok(text) => text,
        Err(name) => return Ok(Some(not("no such value".to_owned(), format!("nothing was kept as {name}")))),
    };
    let measured_of = |template: &Template| template.only_name().and_then(|name| conductor.kept.get(name)).and_then(|kept| kept.measured);
    for bound in &comparison.bounds {
        let with = match bound.with.fill(|name| conductor.kept.text(name)) {
            Ok(with) => with,
            Err(name) => return Ok(Some(not("no such value".to_owned(), format!("nothing was kept as {name}")))),
        };
        let with_measured = measured_of(&bound.with);
        if let (Some(measured), Ok(limit)) = (measured_of(value), parse_duration(&with)) {
            let other = with_measured.map_or(Duration::ZERO, |with| with.uncertainty);
            let measured = Measured { uncertainty: measured.uncertainty + other, ..measured };
            if bound.with.text().is_some() {
                looked_in_time(measured, limit, conductor.host_late(), &evidence)?;
            }
            can_tell(measured, limit, &value.to_string(), &evidence)?;
        } else if let (Some(measured), Ok(limit)) = (with_measured, parse_duration(&text)) {
            if value.text().is_some() {
                looked_in_time(measured, limit, conductor.host_late(), &evidence)?;
            }
            can_tell(measured, limit, &bound.with.to_string(), &evidence)?;
        }
        let holds = match compare(&text, &with) {
            Some(ordering) if bound.relation.is_ordering() || !are_digits(&text, &with) => bound.relation.holds(ordering),
            None if bound.relation.is_ordering() && has_order(&text) && has_order(&with) => {
                return Err(Stop::Rig(Finding::new(
                    format!("{value} is {text}, and {with} is of another kind: the scenario compares what nobody can compare"),
                    "two versions x.y.z, two durations or two decimal numbers",
                    format!("{text} and {with}"),
                    evidence,
                )));
            }
            None if bound.relation.is_ordering() => {
                return Ok(Some(not(text.clone(), format!("{value} is \"{text}\", which cannot be compared with {with}"))));
            }
            Some(_) | None => bound.relation.holds(text.cmp(&with)),
        };
        if !holds {
            let shown = if bound.with.text().is_some() { bound.to_string() } else { format!("{bound} ({with})") };
            return Ok(Some(not(text.clone(), format!("{value} is {text}, which is not {shown}"))));
        }
    }
    Ok(None)
}

/// What the times that `steps` measure are compared with, where the file says it: an event and a time after it.
pub(in crate::runner) fn limits(steps: &[&Step]) -> Vec<(Anchor, Duration)> {
    let comparisons = steps.iter().filter_map(|step| match &step.action {
        Action::Check(comparison) => Some(comparison),
        Action::When(when) => Some(&when.condition),
        _ => None,
    });
    let sides = comparisons.flat_map(|comparison| comparison.bounds.iter().map(|bound| (&comparison.value, &bound.with)));
    let sides = sides.flat_map(|(value, with)| [(value, with), (with, value)]).collect::<Vec<_>>();
    let measures = steps.iter().filter_map(|step| if let Action::Measure(measure) = &step.action { Some(measure) } else { None });
    let limits_of = |measure: &Measure| {
        let named = sides.iter().filter(|(side, _)| side.only_name() == Some(&measure.name));
        let compared = named.filter_map(|(_, limit)| parse_duration(limit.text()?).ok());
        compared.chain(measure.within).map(|limit| (measure.from.clone(), limit)).collect::<Vec<_>>()
    };
    measures.flat_map(limits_of).collect()
}

/// Refuses a time that lies beyond a limit only because this computer looked late, as far as anybody can tell.
fn looked_in_time(measured: Measured, limit: Duration, allowance: Duration, evidence: &[u64]) -> Result<(), Stop> {
    let late = measured.value.saturating_sub(limit);
    if measured.least < limit && late > allowance {
        return Err(host_late(late, allowance, evidence.last().copied().unwrap_or_default()));
    }
    Ok(())
}

/// Refuses a limit that this link cannot decide: one finer than what it measures, or one that the time may as well keep as break.
fn can_tell(measured: Measured, limit: Duration, what: &str, evidence: &[u64]) -> Result<(), Stop> {
    let Measured { value, uncertainty, .. } = measured;
    if uncertainty.is_zero() || limit > uncertainty && value.abs_diff(limit) >= uncertainty {
        return Ok(());
    }
    let uncertain = show_duration(uncertainty);
    let reason = if limit <= uncertainty {
        format!("a limit of {} is finer than what this link measures, {uncertain}", show_duration(limit))
    } else {
        format!("{what} is too close to {} to tell", show_duration(limit))
    };
    Err(Stop::Rig(Finding::new(
        reason,
        "a limit that the time either keeps or breaks",
        format!("{} ± {uncertain}: give another limit, or measure on a link that is finer", show_duration(value)),
        evidence.to_vec(),
    )))
}

pub(super) fn measure(conductor: &mut Conductor<'_>, measure: &Measure) -> Result<(), Stop> {
    let from = conductor.moment(&measure.from, "from")?;
    let to = conductor.moment(&measure.to, "to")?;
    let (first, second) = (measure.from.name(), measure.to.name());
    let evidence: Vec<u64> = from.seq.into_iter().chain(to.seq).collect();
    if to.at < from.at {
        return Err(Stop::Rig(Finding::new(
            format!("{second} came before {first}, so there is no time between them"),
            format!("{first}, then {second}"),
            format!("{second} {} before {first}", show_duration(from.at - to.at)),
            evidence,
        )));
    }
    let least = to.since.max(from.at) - from.at;
    let measured = Measured { value: to.at - from.at, least, uncertainty: from.uncertainty + to.uncertainty };
    let seq = conductor.record(event::Measured {
        name: measure.name.clone(),
        from: first.to_owned(),
        to: second.to_owned(),
        value_ns: nanoseconds(measured.value),
        uncertainty_ns: nanoseconds(measured.uncertainty),
        how: conductor.how_measured().to_owned(),
        evidence: evidence.clone(),
    })?;
    conductor.kept.keep(&measure.name, Kept { text: show_exactly(measured.value), seq, measured: Some(measured) });
    let Some(within) = measure.within else { return Ok(()) };
    looked_in_time(measured, within, conductor.host_late(), &evidence)?;
    can_tell(measured, within, &measure.name, &evidence)?;
    if measured.value <= within {
        return Ok(());
    }
    Err(Stop::Failed(Finding::new(
        format!("{} is {}, more than {}", measure.name, show_duration(measured.value), show_duration(within)),
        format!("{second} within {} of {first}", show_duration(within)),
        format!("{} ± {}", show_duration(measured.value), show_duration(measured.uncertainty)),
        evidence,
    )))
}

/// A time as text that reads back as just that time.
fn show_exactly(duration: Duration) -> String {
    format!("{}.{:06} ms", duration.as_millis(), duration.subsec_nanos() % 1_000_000)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn note(conductor: &mut Conductor<'_>, text: &Template) -> Result<(), Stop> {
    let text = text.fill(|name| conductor.kept.text(name)).unwrap_or_else(|name| format!("nothing is kept as {name}"));
    conductor.note(text).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_measured() {
        for ns in [0, 1, 999_999, 20_300_000, 1_500_000_001, 61_000_000_000] {
            let duration = Duration::from_nanos(ns);
            assert_eq!(parse_duration(&show_exactly(duration)), Ok(duration));
        }
    }

    #[test]
    fn a_limit_is_decided_only_outside_of_the_uncertainty() {
        let ms = Duration::from_millis;
        let measured = |value, uncertainty| Measured { value: ms(value), least: ms(value), uncertainty: ms(uncertainty) };
        let reason = |measured, limit| can_tell(measured, limit, "$t", &[]).err().and_then(|stop| stop.finding().map(|f| f.reason.clone()));
        assert_eq!(reason(measured(20, 1), ms(30)), None);
        assert_eq!(reason(measured(20, 1), ms(21)), None);
        assert_eq!(reason(measured(20, 2), ms(21)), Some("$t is too close to 21 ms to tell".to_owned()));
        assert_eq!(reason(measured(20, 2), ms(20)), Some("$t is too close to 20 ms to tell".to_owned()));
        assert_eq!(reason(measured(20, 2), ms(2)), Some("a limit of 2 ms is finer than what this link measures, 2 ms".to_owned()));
        assert_eq!(reason(measured(20, 0), ms(20)), None);
    }
}
