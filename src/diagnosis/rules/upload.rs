//! An upload was the last thing, or what came of it.

use std::time::Duration;

use super::words::{seconds, span};
use super::{Found, Scene};
use crate::baud::Baud;
use crate::diagnosis::facts::{Began, Exchange, Result, Upload};
use crate::diagnosis::{Advice, Cause, Probe, Sure};
use crate::timeline::event::EndedBy;

/// A device that is given less time to ask again may only be slow: how long it takes is published nowhere.
const PATIENT: Duration = Duration::from_secs(2);
/// A step that fails at the end of an upload ends so soon after that.
const ENDED: Duration = Duration::from_secs(1);

impl Scene<'_> {
    /// An upload was the last thing.
    pub(super) fn upload(&self) -> Option<Found> {
        let facts = self.facts;
        let upload = facts.upload.as_ref()?;
        let last = facts.since.last().filter(|last| last.text == "AT#UP" && !facts.since.hotkey_is_last)?;
        let file = upload.file.as_deref().unwrap_or("the image");
        match &last.result {
            Some((seq, Result::Code(code))) => {
                return Some(self.or_noise(
                    Found::new(
                        Cause::Refused,
                        Sure::VeryLikely,
                        format!("AT#UP itself was answered by {code}: not a byte of {file} was asked for. The meaning of the 40xx is not published"),
                        [last.seq, *seq],
                    )
                    .next(Advice::RefusedAtOnce),
                ));
            }
            Some((_, Result::Zero)) => {}
            _ => return None,
        }
        let evidence = || [upload.seq].into_iter().chain(upload.asked.map(|(seq, _)| seq)).chain(facts.since.last_in);
        let (sent, total) = (upload.sent, upload.total);
        let asked = upload.asked.filter(|_| upload.given).and_then(|(_, asked)| u64::try_from(asked).ok());
        let given = asked.unwrap_or(0).min(total.saturating_sub(sent));
        match upload.ended() {
            None if upload.asked.is_none() && upload.given => {
                let because = "AT#UP was answered by 0, which begins an upload, and what was sent after that, before anything was asked for, went in as a part of the image";
                Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence()).next(Advice::UpByItself))
            }
            None if upload.asked.is_none() && !last.has_preamble => {
                let because = "AT#UP was answered by 0, which begins an upload, and the step that sent it sends no image";
                Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence()).next(Advice::UpByItself))
            }
            None if !self.facts.damaged().is_empty() => {
                Some(self.noise("the upload stopped, and words came damaged before it", evidence().collect()))
            }
            None => {
                if upload.is_going_on(facts.now) && sent + given < total {
                    let because = format!(
                        "the device was asking for {file} still when the time was over: {} of {total} bytes in {}",
                        sent + given,
                        seconds(upload.lasted())
                    );
                    return Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence()).next(Advice::StillAsking));
                }
                let stalled = |because: String| Found::new(Cause::UploadStalled, Sure::VeryLikely, because, evidence());
                Some(self.or_noise(match upload.asked {
                    None => {
                        let waited = facts.failed.map(|failed| failed.at.since(last.at + last.took));
                        let waited = waited.map_or_else(|| "ever".to_owned(), |waited| format!("within {}", span(waited)));
                        stalled(format!("AT#UP was answered, and not a byte of {file} was asked for {waited}")).next(Advice::NeverAsked)
                    }
                    Some(_) => {
                        if sent + given >= total {
                            return Some(
                                stalled(format!("all {total} bytes of {file} were sent, and the device has not said what it thinks of it"))
                                    .next(Advice::NoVerdict),
                            );
                        }
                        let because = format!("after {} of {total} bytes of {file} the device asked for no more", sent + given);
                        let waited = facts.failed.map_or(Duration::MAX, |failed| failed.at.since(upload.last_at));
                        if waited < PATIENT {
                            let found = stalled(format!("{because}, in {}", span(waited)));
                            return Some(self.or_noise(found.next_with(Advice::AsksLater, &[("TOOK", &span(waited))])));
                        }
                        let found = stalled(because);
                        if facts.speed > Baud::DEFAULT { found.next(Advice::StalledFast) } else { found }
                    }
                }))
            }
            Some((_, 0)) if sent < total => Some(Found::new(
                Cause::UploadProtocol,
                Sure::VeryLikely,
                format!(
                    "the device said 0 (it has all of it) after {sent} of {total} bytes of {file}; Easy Connect takes 0 as right only when everything was sent"
                ),
                evidence(),
            )),
            Some((_, code)) if facts.now.since(upload.last_at) > ENDED && self.silent_since(upload.asked) => {
                let ended = if code == 0 { "accepted" } else { "refused" };
                let because = format!(
                    "the upload of {file} was {ended}, and nothing came in the {} since: boot code waits, and starts no application by itself",
                    seconds(facts.now.since(upload.last_at))
                );
                Some(Found::new(Cause::BootCodeAnswered, Sure::Likely, because, evidence()).next(Advice::WaitsAfterUpload))
            }
            Some((_, 0)) if facts.failed.is_some_and(|failed| failed.by == Some(EndedBy::Whole)) => {
                let because =
                    format!("all of {file} was taken and answered by 0: what was to break the upload off did not come before its end");
                Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, evidence()).next(Advice::NotBrokenOff))
            }
            Some((_, 0)) => Some(accepted(upload, file, evidence().collect())),
            Some((_, code)) => {
                let found = refused(upload, file, code, facts.speed > Baud::DEFAULT, evidence().collect());
                if self.is_probed(Probe::Reset) && self.now.is_some_and(|now| now.since.first_in.is_none()) {
                    // Whatever the refusal was right about: this is worse.
                    let because = format!("{}. Since then the application does not start: a reset brought nothing", found.because);
                    return Some(Found::new(Cause::DoesNotStart, Sure::VeryLikely, because, found.evidence).next(Advice::AfterUpload));
                }
                Some(self.or_noise(found))
            }
        }
    }

    /// Whether nothing was sent and nothing came since a request.
    fn silent_since(&self, asked: Option<(u64, i8)>) -> bool {
        let since = &self.facts.since;
        asked.is_some_and(|(asked, _)| since.last_in.is_none_or(|last| last < asked) && since.last_out.is_none_or(|last| last < asked))
    }

    /// The version in the last answer is not what it should be.
    pub(super) fn version(&self, last: &Exchange) -> Option<Found> {
        let (seq, version) = last.version()?;
        let facts = self.facts;
        let upload = facts.upload.as_ref().and_then(|upload| Some((upload, upload.named()?.0.a)));
        let installed = upload.map_or(facts.installed, |(upload, _)| upload.installed);
        let known = [installed, upload.map(|(_, offered)| offered)];
        let was_reset = self.begin().is_some_and(|begin| upload.is_some_and(|(upload, _)| begin > upload.seq))
            && facts.since.start.is_some_and(|start| start.how == Began::Reset);
        let (expected, why, advice) = match (upload, installed) {
            (Some((upload, offered)), _) if upload.is_accepted() => (
                offered,
                format!("{offered} was uploaded and accepted"),
                match (known.contains(&Some(version)), was_reset) {
                    (true, true) => Advice::NotInstalledAfterReset,
                    (true, false) => Advice::NotInstalled,
                    (false, _) => Advice::OtherVersion,
                },
            ),
            (Some((_, offered)), Some(installed)) if version == offered => {
                (installed, format!("just that was uploaded and refused; {installed} had been there"), Advice::InstalledAllTheSame)
            }
            (_, installed) => (installed?, format!("{} is what had been installed", installed?), Advice::OtherVersion),
        };
        if version == expected {
            let is_lower = |offered, upload: &Upload| upload.installed.is_some_and(|installed| offered < installed);
            let went_in = upload.filter(|(upload, offered)| upload.is_accepted() && (is_lower(*offered, upload) || upload.is_damaged()));
            return went_in.map(|(upload, _)| {
                let found = accepted(upload, upload.file.as_deref().unwrap_or("the image"), vec![last.seq, seq]);
                Found { because: format!("{}; {} reports it", found.because, last.text), ..found }
            });
        }
        let evidence = facts.upload.iter().filter_map(|upload| upload.asked).map(|(seq, _)| seq).chain([last.seq, seq]);
        let because = format!("{} reports {version}, and {why}", last.text);
        Some(Found::new(Cause::VersionNotAsInstalled, Sure::VeryLikely, because, evidence).next(advice))
    }
}

pub(super) fn accepted(upload: &Upload, file: &str, evidence: Vec<u64>) -> Found {
    let named = upload.named();
    if let (Some((offered, _)), Some(installed)) = (named, upload.installed)
        && offered.a < installed
    {
        let because = format!(
            "all of {file} was taken and answered by 0: version {} went in over {installed}, and only the same or a higher one should",
            offered.a
        );
        return Found::new(Cause::AcceptedLower, Sure::VeryLikely, because, evidence);
    }
    if upload.is_damaged() {
        let because = format!("all of {file} was taken and answered by 0, although it was damaged on purpose");
        return Found::new(Cause::AcceptedDamaged, Sure::VeryLikely, because, evidence);
    }
    let key = named.map_or_else(String::new, |(_, key)| format!(" (key {key})"));
    if named.is_some_and(|(_, key)| upload.took.is_some_and(|(_, took)| took == key)) {
        let because = format!(
            "all of {file}{key} was taken and answered by 0, as it should be: part A is not lower, nothing says that it is damaged, and an image with the same key number went in before"
        );
        return Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence).next(Advice::ShouldGoIn);
    }
    let part_a = match (named, upload.installed) {
        (Some((offered, _)), Some(installed)) if offered.a == installed => {
            "part A is the installed version, which goes in again on a good unit,"
        }
        _ => "part A is not lower,",
    };
    let because = format!(
        "all of {file}{key} was taken and answered by 0; {part_a} and nothing says that it is damaged: if it should have been refused, its key, or the versions of M and S in its name, are what should have kept it out"
    );
    if let Some((_, took)) = upload.took {
        let because = format!(
            "{because}. An image with the key number {took} went in before: two keys fit this unit, or its boot code looks at none"
        );
        return Found::new(Cause::AcceptedWrongKey, Sure::VeryLikely, because, evidence);
    }
    Found::new(Cause::AcceptedWrongKey, Sure::Likely, because, evidence)
        .against("an image that the unit may take goes in as well: nothing on the wire says which key a unit needs", [])
}

fn refused(upload: &Upload, file: &str, code: i8, is_fast: bool, evidence: Vec<u64>) -> Found {
    let place =
        if upload.sent >= upload.total { "at its end".to_owned() } else { format!("after {} of {} bytes", upload.sent, upload.total) };
    let (reason, advice) = match (upload.named(), upload.installed) {
        _ if upload.is_damaged() => {
            ("; it was damaged on purpose, so that this is what should happen".to_owned(), Some(Advice::RefusedDamaged))
        }
        (Some((offered, _)), Some(installed)) if offered.a < installed => (
            format!("; {} is lower than the installed {installed}, and the chip takes only the same version or a higher one", offered.a),
            Some(Advice::RefusedLower),
        ),
        (Some((offered, key)), Some(installed)) if offered.a == installed => (
            format!(
                "; {installed} is the installed version, which goes in again on a good unit: M or S, the key ({key}), the image's integrity or the chip itself is the reason"
            ),
            Some(Advice::RefusedInstalled),
        ),
        (Some((offered, key)), Some(installed)) => (
            format!(
                "; {} is higher than the installed {installed}, so that M or S, the key ({key}), the image's integrity or the chip itself is the reason",
                offered.a
            ),
            Some(if upload.took.is_some() { Advice::RefusedThough } else { Advice::RefusedHigher }),
        ),
        _ => (String::new(), None),
    };
    // What should be refused is refused at any speed.
    let is_meant = matches!(advice, Some(Advice::RefusedLower | Advice::RefusedDamaged));
    let advice = if is_fast && !is_meant { Some(Advice::RefusedFast) } else { advice };
    let because = format!(
        "the device ended the upload of {file} {place} with the byte {code}{reason}. The byte does not say why: the meaning of these bytes is not published"
    );
    Found::new(Cause::Refused, Sure::VeryLikely, because, evidence).next(advice)
}
