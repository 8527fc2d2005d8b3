//! Nothing is seen to be wrong: the module speaks clearly, and says something else than the step wants.

use super::boot::milliseconds;
use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Exchange, Result};
use crate::diagnosis::{Advice, Cause, Sure};

impl Scene<'_> {
    /// The module speaks clearly, or nothing was done that could have brought anything.
    pub(super) fn otherwise(&self) -> Option<Found> {
        let since = &self.facts.since;
        if since.spoke.is_none()
            && let Some(found) = self.held_or_off()
        {
            return Some(found);
        }
        let found = |because: String, evidence: Vec<u64>| Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence);
        if since.start.is_none() && since.first_out.is_none() && since.first_in.is_none() {
            let because = "nothing was sent, the module was not restarted, and nothing came";
            return Some(found(because.to_owned(), Vec::new()).next(Advice::NothingWasDone));
        }
        let spoke = since.spoke?;
        let last = since.last().filter(|last| !last.restarts());
        let Some((last, (seq, result))) = last.and_then(|last| Some((last, last.result.as_ref()?))) else {
            let because = "what came is whole and clean, and nothing is seen to be wrong with board or bench".to_owned();
            return Some(found(because, since.started.into_iter().chain([spoke]).collect()));
        };
        let evidence = vec![last.seq, *seq];
        Some(match result {
            Result::Ok => {
                let took = milliseconds(last.took);
                let because = format!("{} was answered by {}OK, {took} after it was sent, whole and clean", last.text, lines_of(last));
                match since.aside.as_ref().filter(|(aside, _)| *aside >= last.seq) {
                    Some((aside, text)) => found(format!("{because}; {text} came unasked"), vec![last.seq, *seq, *aside]),
                    None => found(because, evidence),
                }
            }
            Result::Error | Result::Cme(_) if last.is_result_first => {
                let because = format!("{result} came before the echo of {}: it answers what was sent before that", last.text);
                found(because, evidence).next(Advice::AnswersTheOneBefore)
            }
            Result::Error | Result::Cme(_) if !self.is_line_clean(last) => {
                let before = if last.before.is_empty() {
                    "bytes at another speed stood in the module's line".to_owned()
                } else {
                    format!("{} had been sent, and no CR behind it", quoted(&last.before))
                };
                let because = format!("{before}, when {} came, and both together were answered by {result}", last.text);
                found(because, evidence).next(Advice::LineNotClean)
            }
            Result::Error | Result::Cme(_) => {
                let how = if last.echo.is_some() {
                    "came back as it was sent, so that it arrived, and"
                } else {
                    "arrived, as far as can be seen, and"
                };
                found(format!("{} {how} was answered by {result}: the application does not take it", last.text), evidence)
                    .next(Advice::NotTaken)
            }
            Result::Zero => {
                found(format!("boot code answered {} by {}0, and waits for the next command", last.text, lines_of(last)), evidence)
                    .next(Advice::StaysInBootCode)
            }
            Result::Code(code) => {
                found(format!("boot code answered {} by {code}: it does not take it", last.text), evidence).next(Advice::NotOfBootCode)
            }
        })
    }

    /// A command was sent last that nothing has ended: it is not carried out.
    pub(super) fn unended(&self) -> Option<Found> {
        let since = &self.facts.since;
        // A write that went out in parts has a CR in it, and more to come.
        let text = Some(since.unended.as_slice()).filter(|text| text.starts_with(b"AT") && !text.contains(&b'\r'))?;
        let because = format!("{} was sent without a CR behind it, and no command is carried out before that comes", quoted(text));
        Some(Found::new(Cause::NotAsExpected, Sure::VeryLikely, because, since.last_out).next(Advice::NoCr))
    }
}

/// What stood before the result: `"2.7.0" and `.
fn lines_of(exchange: &Exchange) -> String {
    let lines: Vec<String> = exchange.lines.iter().map(|line| quoted(&line.text)).collect();
    if lines.is_empty() { String::new() } else { format!("{} and ", lines.join(", ")) }
}
