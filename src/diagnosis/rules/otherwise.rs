//! Nothing is seen to be wrong: the module speaks clearly, and says something else than the step wants.

use super::{Found, Scene, quoted};
use crate::diagnosis::facts::{Exchange, Result};
use crate::diagnosis::{Advice, Cause, Sure};

impl Scene<'_> {
    /// The module speaks clearly, or nothing was done that could have brought anything.
    pub(super) fn otherwise(&self) -> Option<Found> {
        let since = &self.facts.since;
        let found = |because: String, evidence: Vec<u64>| Found::new(Cause::NotAsExpected, Sure::Likely, because, evidence);
        if since.start.is_none() && since.first_out.is_none() && since.first_in.is_none() {
            let because = "nothing was sent, no line was moved, and nothing came";
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
            Result::Ok => found(format!("{} was answered by {}OK, whole and clean", last.text, lines_of(last)), evidence),
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
}

/// What stood before the result: `"2.7.0" and `.
fn lines_of(exchange: &Exchange) -> String {
    let lines: Vec<String> = exchange.lines.iter().map(|line| quoted(&line.text)).collect();
    if lines.is_empty() { String::new() } else { format!("{} and ", lines.join(", ")) }
}
