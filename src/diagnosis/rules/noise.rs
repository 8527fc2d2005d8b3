//! Words came damaged.

use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{End, Exchange, Line};
use crate::diagnosis::{Advice, Cause, Probe, Sure, damage};

impl Scene<'_> {
    /// Whether known words came damaged.
    pub(super) fn is_noisy(&self) -> bool {
        !self.now.unwrap_or(self.facts).damaged().is_empty()
    }

    /// Words came damaged, and that may be why the rest looks as it does.
    pub(super) fn noise_instead(&self, found: Option<Found>) -> Found {
        let now = self.now.unwrap_or(self.facts);
        let (many, commands) = (now.damaged().len(), now.commands_hit);
        let many = match (many, commands) {
            (1, 0) => "a word of the module came damaged".to_owned(),
            (_, 0) => format!("at least {many} words of the module came damaged"),
            (1, 1) => "a command was lost or arrived damaged".to_owned(),
            (_, _) if commands == many => format!("at least {many} commands were lost or arrived damaged"),
            _ => format!("at least {many} words and commands came or arrived damaged"),
        };
        match found {
            Some(found) if found.cause == Cause::LineNoise => found,
            Some(found) => {
                let evidence = now.damaged().iter().copied().take(4).chain(found.evidence);
                let because = format!("{many}, which may be why it looks like {}: {}", found.cause, found.because);
                self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, because, evidence))
            }
            None => self.command_hit(Found::new(Cause::LineNoise, Sure::Likely, many, now.damaged().iter().copied().take(4))),
        }
    }

    /// Bytes that were damaged on the way could look the same: after a reset the module says known words, and these tell.
    pub(super) fn or_noise(&self, found: Found) -> Found {
        if self.is_probed(Probe::Reset) {
            found
        } else {
            found.or(
                Cause::LineNoise,
                "a byte that was lost or changed on the way looks the same; in that case words come damaged after a reset as well",
                Probe::Reset,
            )
        }
    }

    /// A command arrived damaged: where all that comes is clean, it is the other direction.
    pub(super) fn command_hit(&self, found: Found) -> Found {
        let now = self.now.unwrap_or(self.facts);
        if now.damaged().len() > now.commands_hit { found } else { found.next(Advice::CommandHit) }
    }

    pub(super) fn noise(&self, because: &str, evidence: Vec<u64>) -> Found {
        Found::new(Cause::LineNoise, Sure::VeryLikely, because, evidence.into_iter().chain(self.facts.damaged().iter().copied().take(3)))
    }

    /// Words of the last answer, or its echo, came damaged.
    pub(super) fn damaged_words(&self, last: &Exchange) -> Option<Found> {
        let echo = |line: &Line| {
            damage::is_like_echo(&line.text, last.sent.as_bytes()).then(|| format!("its echo came back as {}", quoted(&line.text)))
        };
        let damaged = last.lines.iter().filter(|line| !damage::is_response(&line.text, &last.text)).find_map(|line| {
            Some((
                line.seq,
                echo(line).or_else(|| {
                    damage::resembles(line).filter(|_| line.end != End::None).map(|word| format!("{word} came as {}", quoted(&line.text)))
                })?,
            ))
        });
        let (seq, how) = damaged?;
        Some(self.noise(&format!("{} was sent, and {how}", last.text), vec![last.seq, seq]))
    }
}
